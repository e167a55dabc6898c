"""Filters of the message templates."""

from datetime import datetime
from decimal import Decimal

from django import template
from django.utils import formats

from core.clock import local_time
from core.money import rupiah as format_rupiah
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
