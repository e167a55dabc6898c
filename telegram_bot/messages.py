"""Outbox rows as messages: rendered when they are sent, in the recipient's language.

A row holds ids only. What it was about may have moved on since it was written; then it is told as
it is now, or dropped.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import translation

from accounts.models import Customer
from core.models import OutboxMessage, OutboxState
from core.outbox import References
from orders.goods import is_withheld
from orders.models import Order, OrderStatus, Refund
from orders.services.fulfilment import GOODS, goods_message
from payments.models import Case, CaseKind, Payment, PaymentStatus
from telegram_bot import balance_messages, gateway_screens, keyboards
from telegram_bot.goods import present_goods
from telegram_bot.message_parts import MessageIds, OutgoingMessage, Renderer
from telegram_bot.message_parts import message_ids as _message_ids
from telegram_bot.message_parts import remember_message as _remember_message
from telegram_bot.message_parts import screen_of as _screen
from telegram_bot.qr import qr_png
from telegram_bot.screens import Photo, Screen
from telegram_bot.shortcuts import language_of, render_text
from telegram_bot.undelivered import needs_keys, record_arrival
from telegram_bot.views.orders import UNAVAILABLE, checkout_url, late_money_context


def render_message(message: OutboxMessage, customer: Customer | None) -> OutgoingMessage | None:
    """Render an outbox row for one recipient (None: a staff chat); None: drop it."""
    with translation.override(language_of(customer)):
        outgoing = MESSAGES[message.kind](message.references)
        if outgoing is None or not outgoing.delete_before:
            return outgoing
        return replace(outgoing, over=render_text("telegram/message_over.html"))


def _order_context(order: Order) -> dict[str, Any]:
    return {"order": order, "item": order.items.first(), "buyer": order.customer}


def _shown_messages(order: Order) -> MessageIds:
    """Return the messages that ask for this order's payment: QR codes and what announced them."""
    return _message_ids(order.payments.all())


def _payment(references: References) -> tuple[Payment, Order]:
    payment = Payment.objects.select_related("order__customer").get(pk=references["payment_id"])
    assert payment.order is not None  # noqa: S101 (`_either` renders those of deposits)
    return payment, payment.order


def _either(of_order: Renderer, of_deposit: Renderer) -> Renderer:
    """Return the renderer of a kind that is written for payments of orders and deposits alike."""

    def render(references: References) -> OutgoingMessage | None:
        deposits = Payment.objects.filter(pk=references["payment_id"], order=None)
        return of_deposit(references) if deposits.exists() else of_order(references)

    return render


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


def _payment_unavailable(references: References) -> OutgoingMessage | None:
    payment, order = _payment(references)
    if payment.status not in UNAVAILABLE or order.status != OrderStatus.PENDING:
        return None
    buttons = keyboards.payment_unavailable(order)
    context = {"order": order, "payment": payment}
    screen = _screen("payment_unavailable.html", context, buttons)
    return OutgoingMessage(screen, _shown_messages(order), _remember_message(payment))


def _order_delivered(references: References) -> OutgoingMessage | None:
    order = _order(references)
    if order.status != OrderStatus.PAID or is_withheld(order=order):
        return None
    goods = present_goods(order)
    context = {"order": order, "goods": goods, "is_delivery": True, "documents_follow": True}
    screen = _screen("order_paid.html", context, keyboards.new_menu())

    def delivered(_chat_id: int, _message_id: int, now: datetime) -> None:
        record_arrival(order_id=order.pk, now=now)

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


def _message_removal(references: References) -> OutgoingMessage | None:
    place = (int(references["chat_id"]), int(references["message_id"]))
    return OutgoingMessage(Screen(""), (place,), insists=True)


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


def _payment_in_review(references: References) -> OutgoingMessage | None:
    """Money for an order that staff had marked paid: no promise is made before they looked."""
    payment, order = _payment(references)
    context = {"payment": payment, "order": order}
    return OutgoingMessage(_screen("payment_in_review.html", context, keyboards.new_menu()))


def _staff_case(references: References) -> OutgoingMessage | None:
    case = Case.objects.select_related("order", "payment__order", "event").get(
        pk=references["case_id"]
    )
    if case.closed_at is not None:
        return None
    is_about_goods = case.kind == CaseKind.DELIVERY_FAILED
    row = goods_message(case.order_id or 0).first() if is_about_goods else None
    context = {"case": case, "row": row, "is_locked": row is not None and needs_keys(row)}
    return OutgoingMessage(_screen("staff_case.html", context))


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


def _plain(screen: Callable[[References], Screen]) -> Renderer:
    return lambda references: OutgoingMessage(screen(references))


def _staff_message_stuck(references: References) -> OutgoingMessage | None:
    row = _outbox_row(references)
    if row is None or row.state not in {OutboxState.PENDING, OutboxState.FAILED}:
        return None
    return OutgoingMessage(_screen("staff_message_stuck.html", _row_context(row)))


def _staff_message_arrived(references: References) -> OutgoingMessage | None:
    """Only for staff who heard that it was stuck."""
    row = _outbox_row(references)
    if row is None or not _staff_heard_of(row):
        return None
    return OutgoingMessage(_screen("staff_message_arrived.html", _row_context(row)))


def _staff_heard_of(row: OutboxMessage) -> bool:
    case = Case.objects.filter(
        kind=CaseKind.DELIVERY_FAILED, order=row.references.get("order_id", 0)
    ).first()
    copies = Q(dedupe_key__startswith=f"staff_message_stuck:{row.pk}:")
    if case is not None and row.kind == GOODS:
        copies |= Q(dedupe_key__startswith=f"staff_case:{case.pk}:")
    return OutboxMessage.objects.filter(copies, state=OutboxState.SENT).exists()


def _outbox_row(references: References) -> OutboxMessage | None:
    return OutboxMessage.objects.filter(pk=references["outbox_id"]).first()


def _row_context(row: OutboxMessage) -> dict[str, Any]:
    """Name the customer and the order that a message of the outbox is about, where it has them."""
    order_id, payment_id = row.references.get("order_id"), row.references.get("payment_id")
    orders = Order.objects.filter(Q(pk=order_id or 0) | Q(payments=payment_id or 0))
    return {
        "row": row,
        "order": orders.first(),
        "buyer": Customer.objects.filter(pk=row.recipient or 0).first(),
    }


MESSAGES: dict[str, Renderer] = {
    "payment_qr": _either(_payment_qr, balance_messages.deposit_qr),
    "payment_unavailable": _either(_payment_unavailable, balance_messages.deposit_unavailable),
    "order_delivered": _order_delivered,
    "order_expired": _order_expired,
    "order_cancelled": _order_cancelled,
    "payment_credited": _either(_payment_credited, balance_messages.deposit_credited),
    "payment_in_review": _payment_in_review,
    "message_removal": _message_removal,
    "staff_order_paid": _staff_order_paid,
    "staff_order_expired": _staff_order_expired,
    "staff_payment_credited": _either(_staff_payment_credited, balance_messages.staff_deposit),
    "staff_case": _staff_case,
    **balance_messages.MESSAGES,
    "refund_credited": _refund_credited,
    "refund_paid": _refund_paid,
    "staff_refund": _staff_refund,
    "staff_gateway_down": _plain(gateway_screens.staff_gateway_down),
    "staff_gateway_up": _plain(gateway_screens.staff_gateway_up),
    "staff_gateway_refuses": _plain(gateway_screens.staff_gateway_refuses),
    "staff_report": _plain(gateway_screens.staff_report),
    "staff_message_stuck": _staff_message_stuck,
    "staff_message_arrived": _staff_message_arrived,
}
