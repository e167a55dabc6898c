"""Outbox rows as messages: rendered when they are sent, in the recipient's language.

A row holds ids only. What it was about may have moved on since it was written; then it is told as
it is now, or dropped.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils import translation

from accounts.models import Customer
from core.models import OutboxMessage
from core.outbox import References
from core.models import store_settings
from orders.models import Order, OrderStatus
from orders.services.fulfilment import mark_delivered
from payments.models import Case, Payment, PaymentStatus
from telegram_bot import keyboards
from telegram_bot.goods import present_goods
from telegram_bot.qr import qr_png
from telegram_bot.screens import Buttons, Photo, Screen
from telegram_bot.shortcuts import language_of, render_text
from telegram_bot.views.orders import checkout_url

Sent = Callable[[int, int, datetime], None]
"""Told after sending: chat id, id of the message with the text, the time."""


@dataclass(frozen=True)
class OutgoingMessage:
    """A message, the messages it takes away first, and what to remember once it is sent."""

    screen: Screen
    delete_before: tuple[tuple[int, int], ...] = ()
    after_sent: Sent | None = None


Renderer = Callable[[References], OutgoingMessage | None]


def render_message(message: OutboxMessage, customer: Customer | None) -> OutgoingMessage | None:
    """Render an outbox row for one recipient, None for a staff chat; None: drop it."""
    with translation.override(language_of(customer)):
        return _RENDERERS[message.kind](message.references)


def _screen(template: str, context: dict[str, Any], buttons: Buttons = ()) -> Screen:
    return Screen(render_text(f"telegram/{template}", context), buttons=buttons)


def _order_context(order: Order) -> dict[str, Any]:
    return {"order": order, "item": order.items.first(), "buyer": order.customer}


def _shown_messages(order: Order) -> tuple[tuple[int, int], ...]:
    """Return the messages that ask for this order's payment: QR codes and what announced them."""
    shown = order.payments.exclude(chat_id=None).exclude(message_id=None)
    return tuple(shown.order_by("pk").values_list("chat_id", "message_id"))


def _payment(references: References) -> tuple[Payment, Order]:
    payment = Payment.objects.select_related("order__customer").get(pk=references["payment_id"])
    assert payment.order is not None  # noqa: S101 (these kinds are written for orders only)
    return payment, payment.order


def _payment_qr(references: References) -> OutgoingMessage | None:
    payment, order = _payment(references)
    if payment.status != PaymentStatus.PENDING or order.status != OrderStatus.PENDING:
        return None
    context = {**_order_context(order), "payment": payment}
    buttons = keyboards.open_payment(order, checkout_url(payment))
    screen = _screen("payment_qr.html", context, buttons)
    photo = Photo(data=qr_png(payment.qr_string))
    return OutgoingMessage(
        replace(screen, photo=photo), _shown_messages(order), _remember_message(payment)
    )


def _remember_message(payment: Payment) -> Sent:
    def remember(chat_id: int, message_id: int, now: datetime) -> None:
        Payment.objects.filter(pk=payment.pk).update(chat_id=chat_id, message_id=message_id)

    return remember


def _payment_unavailable(references: References) -> OutgoingMessage | None:
    payment, order = _payment(references)
    has_failed = payment.status in {PaymentStatus.CREATING, PaymentStatus.FAILED}
    if not has_failed or order.status != OrderStatus.PENDING:
        return None
    buttons = keyboards.payment_unavailable(order)
    screen = _screen("payment_unavailable.html", {"order": order}, buttons)
    return OutgoingMessage(screen, _shown_messages(order), _remember_message(payment))


def _order_delivered(references: References) -> OutgoingMessage | None:
    order = _order(references)
    if order.status != OrderStatus.PAID:
        return None
    goods = present_goods(order)
    context = {**_order_context(order), "goods": goods, "is_delivery": True}
    screen = _screen("order_paid.html", context, keyboards.new_menu())

    def delivered(chat_id: int, message_id: int, now: datetime) -> None:
        mark_delivered(order_id=order.pk, now=now)

    return OutgoingMessage(
        replace(screen, documents=goods.documents), _shown_messages(order), delivered
    )


def _order_expired(references: References) -> OutgoingMessage | None:
    order = _order(references)
    if order.status != OrderStatus.EXPIRED:
        return None
    context = {**_order_context(order), "is_delivered_late": store_settings().deliver_late_payments}
    screen = _screen("order_expired.html", context, keyboards.expired())
    return OutgoingMessage(screen, _shown_messages(order))


def _order_cancelled(references: References) -> OutgoingMessage | None:
    """Take away the QR code; whoever cancelled has seen it on the screen."""
    return OutgoingMessage(Screen(""), _shown_messages(_order(references)))


def _payment_credited(references: References) -> OutgoingMessage | None:
    payment, order = _payment(references)
    context = {**_order_context(order), "payment": payment, "reason": _credit_reason(payment, order)}
    screen = _screen("payment_credited.html", context, keyboards.new_menu())
    return OutgoingMessage(screen)


def _credit_reason(payment: Payment, order: Order) -> str:
    if payment.received_amount != payment.amount:
        return "differs"
    return "second" if order.status == OrderStatus.PAID else "late"


def _order(references: References) -> Order:
    return Order.objects.select_related("customer").get(pk=references["order_id"])


def _staff_order_paid(references: References) -> OutgoingMessage | None:
    return OutgoingMessage(_screen("staff_order_paid.html", _order_context(_order(references))))


def _staff_order_expired(references: References) -> OutgoingMessage | None:
    return OutgoingMessage(_screen("staff_order_expired.html", _order_context(_order(references))))


def _staff_payment_credited(references: References) -> OutgoingMessage | None:
    payment, order = _payment(references)
    context = {**_order_context(order), "payment": payment, "reason": _credit_reason(payment, order)}
    return OutgoingMessage(_screen("staff_payment_credited.html", context))


def _staff_case(references: References) -> OutgoingMessage | None:
    case = Case.objects.select_related("order", "payment__order", "event").get(
        pk=references["case_id"]
    )
    return OutgoingMessage(_screen("staff_case.html", {"case": case}))


_RENDERERS: dict[str, Renderer] = {
    "payment_qr": _payment_qr,
    "payment_unavailable": _payment_unavailable,
    "order_delivered": _order_delivered,
    "order_expired": _order_expired,
    "order_cancelled": _order_cancelled,
    "payment_credited": _payment_credited,
    "staff_order_paid": _staff_order_paid,
    "staff_order_expired": _staff_order_expired,
    "staff_payment_credited": _staff_payment_credited,
    "staff_case": _staff_case,
}
