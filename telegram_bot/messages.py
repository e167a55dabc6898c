"""Outbox rows as messages: rendered when they are sent, in the recipient's language.

A row holds ids only. What it was about may have moved on since it was written; then it is told as
it is now, or dropped.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import translation

from accounts.models import Customer
from core.models import OutboxMessage
from core.outbox import References
from orders.goods import is_withheld
from orders.models import Order, OrderStatus, Refund
from orders.services.fulfilment import mark_delivered
from payments.models import Case, Payment, PaymentStatus
from telegram_bot import keyboards
from telegram_bot.goods import present_goods
from telegram_bot.qr import qr_png
from telegram_bot.screens import Buttons, Photo, Screen
from telegram_bot.shortcuts import language_of, render_text
from telegram_bot.views.orders import UNAVAILABLE, checkout_url, late_money_context

MessageIds = tuple[tuple[int, int], ...]
"""Pairs of chat id and message id."""
Sent = Callable[[int, int, datetime], None]
"""Told after sending: chat id, id of the message with the text, the time."""


@dataclass(frozen=True)
class OutgoingMessage:
    """A message, the messages it takes away first, and what to remember once it is sent."""

    screen: Screen
    delete_before: MessageIds = ()
    after_sent: Sent | None = None


Renderer = Callable[[References], OutgoingMessage | None]


def render_message(message: OutboxMessage, customer: Customer | None) -> OutgoingMessage | None:
    """Render an outbox row for one recipient (None: a staff chat); None: drop it."""
    with translation.override(language_of(customer)):
        return MESSAGES[message.kind](message.references)


def _screen(template: str, context: dict[str, Any], buttons: Buttons = ()) -> Screen:
    return Screen(render_text(f"telegram/{template}", context), buttons=buttons)


def _order_context(order: Order) -> dict[str, Any]:
    return {"order": order, "item": order.items.first(), "buyer": order.customer}


def _shown_messages(order: Order) -> MessageIds:
    """Return the messages that ask for this order's payment: QR codes and what announced them."""
    return _message_ids(order.payments.all())


def _message_ids(payments: QuerySet[Payment]) -> MessageIds:
    shown = payments.filter(chat_id__isnull=False, message_id__isnull=False).order_by("pk")
    return tuple(
        (payment.chat_id, payment.message_id)
        for payment in shown
        if payment.chat_id is not None and payment.message_id is not None
    )


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
    def remember(chat_id: int, message_id: int, _now: datetime) -> None:
        Payment.objects.filter(pk=payment.pk).update(chat_id=chat_id, message_id=message_id)

    return remember


def _payment_unavailable(references: References) -> OutgoingMessage | None:
    payment, order = _payment(references)
    if payment.status not in UNAVAILABLE or order.status != OrderStatus.PENDING:
        return None
    buttons = keyboards.payment_unavailable(order)
    screen = _screen("payment_unavailable.html", {"order": order}, buttons)
    return OutgoingMessage(screen, _shown_messages(order), _remember_message(payment))


def _order_delivered(references: References) -> OutgoingMessage | None:
    order = _order(references)
    if order.status != OrderStatus.PAID or is_withheld(order=order):
        return None
    goods = present_goods(order)
    context = {"order": order, "goods": goods, "is_delivery": True, "documents_follow": True}
    screen = _screen("order_paid.html", context, keyboards.new_menu())

    def delivered(_chat_id: int, _message_id: int, now: datetime) -> None:
        mark_delivered(order_id=order.pk, now=now)

    return OutgoingMessage(
        replace(screen, documents=goods.documents), _shown_messages(order), delivered
    )


def _order_expired(references: References) -> OutgoingMessage | None:
    order = _order(references)
    if order.status != OrderStatus.EXPIRED:
        return None
    context = {**_order_context(order), **late_money_context()}
    screen = _screen("order_expired.html", context, keyboards.expired())
    return OutgoingMessage(screen, _shown_messages(order))


def _order_cancelled(references: References) -> OutgoingMessage | None:
    """Take away the QR code only: the cancelling button's own screen has said it already.

    Without a QR code that screen is the message which announced it, and stays.
    """
    with_qr = _order(references).payments.exclude(qr_string="")
    return OutgoingMessage(Screen(""), _message_ids(with_qr))


def _payment_credited(references: References) -> OutgoingMessage | None:
    payment, order = _payment(references)
    context = _credit_context(payment, order)
    return OutgoingMessage(_screen("payment_credited.html", context, keyboards.new_menu()))


def _credit_context(payment: Payment, order: Order) -> dict[str, Any]:
    """Add why the money did not pay the order: `differs`, `second` or `late`."""
    reason = "second" if order.status == OrderStatus.PAID else "late"
    if payment.received_amount != payment.amount:
        reason = "differs"
    return {**_order_context(order), "payment": payment, "reason": reason}


def _order(references: References) -> Order:
    return Order.objects.select_related("customer").get(pk=references["order_id"])


def _staff_order_paid(references: References) -> OutgoingMessage | None:
    return OutgoingMessage(_screen("staff_order_paid.html", _order_context(_order(references))))


def _staff_order_expired(references: References) -> OutgoingMessage | None:
    return OutgoingMessage(_screen("staff_order_expired.html", _order_context(_order(references))))


def _staff_payment_credited(references: References) -> OutgoingMessage | None:
    payment, order = _payment(references)
    context = _credit_context(payment, order)
    return OutgoingMessage(_screen("staff_payment_credited.html", context))


def _staff_case(references: References) -> OutgoingMessage | None:
    case = Case.objects.select_related("order", "payment__order", "event").get(
        pk=references["case_id"]
    )
    return OutgoingMessage(_screen("staff_case.html", {"case": case}))


def _refund_context(references: References) -> dict[str, Any]:
    rows = Refund.objects.select_related("order__customer", "order_item")
    refund = rows.get(pk=references["refund_id"])
    return {
        "refund": refund,
        "order": refund.order,
        "item": refund.order_item,
        "buyer": refund.order.customer,
    }


def _refund_credited(references: References) -> OutgoingMessage | None:
    context = _refund_context(references)
    return OutgoingMessage(_screen("refund_credited.html", context, keyboards.new_menu()))


def _refund_paid(references: References) -> OutgoingMessage | None:
    context = _refund_context(references)
    return OutgoingMessage(_screen("refund_paid.html", context, keyboards.new_menu()))


def _staff_refund(references: References) -> OutgoingMessage | None:
    return OutgoingMessage(_screen("staff_refund.html", _refund_context(references)))


MESSAGES: dict[str, Renderer] = {
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
    "refund_credited": _refund_credited,
    "refund_paid": _refund_paid,
    "staff_refund": _staff_refund,
}
