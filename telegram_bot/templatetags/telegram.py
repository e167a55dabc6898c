"""Filters of the message templates."""

from datetime import datetime
from decimal import Decimal

from django import template
from django.template.loader import render_to_string
from django.utils import formats
from django.utils.safestring import SafeString

from catalog.services.pricing import Price
from core.clock import local_time
from core.money import rupiah as format_rupiah
from orders.models import Order
from orders.selectors import Offer
from orders.services.quotes import QRIS_LEAST, QRIS_MOST
from telegram_bot.lengths import shorten as shorten_text

register = template.Library()


@register.filter
def rupiah(amount: Decimal | int) -> str:
    return format_rupiah(amount)


@register.filter
def store_time(moment: datetime) -> str:
    """Format as the store's clock shows it, with its zone: `22 Nov 2026, 14:05 WIB`."""
    local = local_time(moment)
    return f"{formats.date_format(local, 'j M Y, H:i')} {zone_name(local)}"


def zone_name(local: datetime) -> str:
    name = local.tzname() or "UTC"
    return f"UTC{name}" if name.startswith(("+", "-")) else name


@register.filter
def clock_time(moment: datetime) -> str:
    """Format as `14:05 WIB`."""
    local = local_time(moment)
    return f"{local:%H:%M} {zone_name(local)}"


@register.filter
def shorten(text: str, units: int) -> str:
    """Cut to so many UTF-16 units, as Telegram counts them."""
    return shorten_text(text, units)


@register.simple_tag
def qris_least() -> str:
    return format_rupiah(QRIS_LEAST)


@register.simple_tag
def qris_most() -> str:
    return format_rupiah(QRIS_MOST)


@register.simple_tag
def price(price: Price) -> SafeString:
    return _inline("price", {"price": price})


@register.simple_tag
def stock_level(offer: Offer) -> SafeString:
    return _inline("stock", {"offer": offer})


@register.simple_tag
def payment_method(order: Order) -> SafeString:
    return _inline("method", {"order": order})


@register.simple_tag
def order_status(order: Order) -> SafeString:
    return _inline("status", {"order": order})


def _inline(name: str, context: dict[str, object]) -> SafeString:
    """Render a part that stands within a line: without the line's end of its file."""
    return SafeString(render_to_string(f"telegram/_{name}.html", context).strip())
