"""Ends orders and deposits that were not paid in time (rule 5 of money)."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Subquery

from core.models import store_settings
from orders.errors import OrderNotPending
from orders.models import Order, OrderStatus
from orders.services.fulfilment import end_order
from payments.models import Payment, PaymentStatus
from payments.services.check import check_payment
from payments.services.closing import close_remotely, end_payment, lock_unpaid
from payments.services.deposit import tell_of_deposit
from payments.services.schedule import CHECK_EVERY


def expire_order(*, order_id: int, now: datetime) -> bool:
    """Bring a due order one step nearer to its end; return whether it is expired now.

    The gateway is asked once more, then told to cancel, then asked again; each step may settle
    the payment instead. When it does not answer for too long the goods are freed all the same:
    money that still comes in is late money.
    """
    order = Order.objects.get(pk=order_id)
    if order.status != OrderStatus.PENDING:
        return False
    payment = order.payments.open().first()
    if payment is not None and not _is_closed(payment, now) and not _has_waited(payment, now):
        return False
    return _expire(order_id, now)


def _is_closed(payment: Payment, now: datetime) -> bool:
    """Return whether the gateway has confirmed, after our cancelling, that nothing was paid."""
    if payment.txn_id is None:
        return True
    if payment.closed_remotely_at is None:
        if not _is_answered(payment, now):
            payment = check_payment(payment_id=payment.pk, now=now)
        if payment.is_open and _is_answered(payment, now):
            close_remotely(payment_id=payment.pk, now=now)
        return False
    if not _is_read_again(payment):
        payment = check_payment(payment_id=payment.pk, now=now)
    return _is_read_again(payment)


def _is_answered(payment: Payment, now: datetime) -> bool:
    """Return whether the question after the expiry was answered, lately enough to cancel upon.

    Many expire at once: who waits for a turn to cancel need not ask again meanwhile.
    """
    answer = payment.last_answer_at
    return answer is not None and max(payment.expires_at, now - CHECK_EVERY) <= answer


def _is_read_again(payment: Payment) -> bool:
    answer, closed = payment.last_answer_at, payment.closed_remotely_at
    return answer is not None and closed is not None and answer > closed


def _has_waited(payment: Payment, now: datetime) -> bool:
    """Return whether a gateway that does not answer, or does not cancel, was waited for enough.

    Counted from the first question without an answer, not from the expiry: after a downtime of
    ours the gateway is asked before anything is freed.
    """
    payment.refresh_from_db()
    silence = store_settings().gateway_silence
    if payment.silent_since is not None:
        return now - payment.silent_since >= silence
    answered_late = payment.last_answer_at is not None and (
        payment.last_answer_at >= payment.expires_at
    )
    return answered_late and now - payment.expires_at >= silence


@transaction.atomic
def _expire(order_id: int, now: datetime) -> bool:
    order = Order.objects.lock().get(pk=order_id)
    if order.status != OrderStatus.PENDING:
        return False
    try:
        unpaid = lock_unpaid(order=order)
    except OrderNotPending:
        return False
    for payment in unpaid:
        end_payment(payment=payment, status=PaymentStatus.EXPIRED, now=now)
    end_order(order=order, status=OrderStatus.EXPIRED, now=now)
    return True


def due_orders(*, now: datetime, limit: int) -> list[int]:
    """Return the keys of unpaid orders whose time and grace are over.

    What is cancelled at the gateway comes first: one more answer frees its goods, while the
    others may wait long for their turn to cancel. Then the longest unlooked-at. What waits for
    its money's effect is not due: it must not stand in the way of the others.
    """
    grace = store_settings().expiry_grace
    arrived = Payment.objects.unapplied().filter(order=OuterRef("pk"))
    unpaid = Payment.objects.open().filter(order=OuterRef("pk"))
    due = Order.objects.pending().filter(~Exists(arrived), expires_at__lte=now - grace)
    closed = F("closed_at").asc(nulls_last=True)
    turn = F("asked_at").asc(nulls_first=True)
    return list(
        due.annotate(
            closed_at=Subquery(unpaid.values("closed_remotely_at")[:1]),
            asked_at=Subquery(unpaid.values("last_checked_at")[:1]),
        )
        .order_by(closed, turn, "expires_at")
        .values_list("pk", flat=True)[:limit]
    )


def expire_deposit(*, payment_id: int, now: datetime) -> bool:
    """Bring a due deposit one step nearer to its end, as expire_order does; nothing is freed."""
    payment = Payment.objects.get(pk=payment_id)
    if not payment.is_open:
        return False
    if not _is_closed(payment, now) and not _has_waited(payment, now):
        return False
    return _expire_deposit(payment_id, now)


@transaction.atomic
def _expire_deposit(payment_id: int, now: datetime) -> bool:
    payment = Payment.objects.lock().get(pk=payment_id)
    if not payment.is_open:
        return False
    end_payment(payment=payment, status=PaymentStatus.EXPIRED, now=now)
    tell_of_deposit("deposit_expired", payment)
    return True


def due_deposits(*, now: datetime, limit: int) -> list[int]:
    """Return the keys of open deposits past their time and grace, longest unlooked-at first."""
    grace = store_settings().expiry_grace
    due = Payment.objects.open().filter(order=None, expires_at__lte=now - grace)
    turn = F("last_checked_at").asc(nulls_first=True)
    return list(due.order_by(turn, "expires_at").values_list("pk", flat=True)[:limit])
