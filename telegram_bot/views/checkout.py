"""From the summary of an order to its payment."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from accounts.errors import InsufficientBalance
from orders.errors import PriceChanged
from orders.selectors import find_placed_order
from orders.services.quotes import Quote, get_quote
from orders.services.vouchers import find_voucher
from payments.services import checkout as payments
from payments.services.checkout import Checkout
from payments.services.health import gateway_is_down
from telegram_bot import keyboards, sessions
from telegram_bot.paths import Terms, WayBack
from telegram_bot.requests import BotRequest
from telegram_bot.screens import Screen
from telegram_bot.shortcuts import render
from telegram_bot.views import orders

VOUCHER_CODE = "voucher_code"


def summary(
    request: BotRequest, product_id: int, quantity: int, voucher_id: int | None = None
) -> Screen:
    quote = get_quote(
        customer=request.customer,
        product_id=product_id,
        quantity=quantity,
        voucher_id=voucher_id,
        now=request.now,
    )
    return quote_screen(request, quote)


def quote_screen(request: BotRequest, quote: Quote, **screen_fields: Any) -> Screen:
    """Show a quote; every time it is shown it has a key of its own."""
    fee = payments.estimate_fee(amount=quote.total) if quote.can_use_qris else None
    context = {
        "quote": quote,
        "product": quote.product,
        "fee": fee,
        "is_gateway_down": quote.can_use_qris and gateway_is_down(now=request.now),
    }
    buttons = keyboards.summary(quote)
    return render(request, "telegram/summary.html", context, buttons=buttons, **screen_fields)


def ask_voucher(request: BotRequest, product_id: int, quantity: int) -> Screen:
    data = {"product_id": product_id, "quantity": quantity}
    is_awaited = sessions.await_input(request.customer.pk, VOUCHER_CODE, data)
    template = "ask_voucher" if is_awaited else "refused"
    buttons = keyboards.without_voucher(product_id, quantity)
    return render(request, f"telegram/{template}.html", buttons=buttons)


def enter_voucher(request: BotRequest, product_id: int, quantity: int) -> Screen:
    """Take the typed code; raise VoucherRefused when it is none this customer may use here."""
    quote = get_quote(
        customer=request.customer, product_id=product_id, quantity=quantity, now=request.now
    )
    voucher = find_voucher(
        customer=request.customer, code=request.text, subtotal=quote.subtotal, now=request.now
    )
    return summary(request, product_id, quantity, voucher.pk)


def pay_by_qris(request: BotRequest, terms: Terms) -> Screen:
    payment = payments.buy_with_qris(
        checkout=_checkout(request, terms),
        chat_id=request.chat_id,
        message_id=request.message_id,
        now=request.now,
    )
    assert payment.order is not None  # noqa: S101 (a CHECK of the table)
    return orders.order_screen(request, payment.order)


def confirm_balance(request: BotRequest, terms: Terms) -> Screen:
    """Ask before the balance is used; a summary that placed its order is about that order."""
    placed = find_placed_order(checkout=_checkout(request, terms))
    if placed is not None:
        return orders.confirm_balance(request, placed.pk)
    total = _quote_of(request, terms).total
    yes, back = keyboards.confirm_balance(terms), keyboards.back_to_summary(terms)
    return orders.balance_screen(request, total, yes, back, WayBack.to_summary(terms))


def _quote_of(request: BotRequest, terms: Terms) -> Quote:
    """Price the terms of a button anew; raise PriceChanged when it showed another total."""
    quote = get_quote(
        customer=request.customer,
        product_id=terms.product_id,
        quantity=terms.quantity,
        voucher_id=terms.voucher_id or None,
        now=request.now,
    )
    if quote.total != terms.total:
        raise PriceChanged(quote)
    return quote


def pay_from_balance(request: BotRequest, terms: Terms) -> Screen:
    try:
        order = payments.buy_with_balance(checkout=_checkout(request, terms), now=request.now)
    except InsufficientBalance as refusal:
        back = keyboards.back_to_summary(terms)
        return orders.missing_balance(request, refusal, back, WayBack.to_summary(terms))
    return orders.paid_screen(request, order)


def take_for_free(request: BotRequest, terms: Terms) -> Screen:
    order = payments.take_for_free(checkout=_checkout(request, terms), now=request.now)
    return orders.paid_screen(request, order)


def price_changed(request: BotRequest, quote: Quote) -> Screen:
    notice = _("The price has changed. Nothing was charged: here is the new summary.")
    return quote_screen(request, quote, notice=notice, is_alert=True)


def _checkout(request: BotRequest, terms: Terms) -> Checkout:
    return Checkout(
        customer_id=request.customer.pk,
        key=terms.key,
        product_id=terms.product_id,
        quantity=terms.quantity,
        total=Decimal(terms.total),
        voucher_id=terms.voucher_id or None,
    )
