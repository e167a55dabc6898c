"""Ends orders that were not paid in time (rule 5 of money)."""

from datetime import datetime

from django.db import transaction

from core.models import store_settings
from orders.models import Order, OrderStatus
from orders.services.fulfilment import end_order
from payments.models import Payment, PaymentStatus
from payments.services.check import check_payment
from payments.services.closing import close_remotely, end_payment


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
    gives_up_at = order.expires_at + store_settings().gateway_silence
    if payment is not None and now < gives_up_at and not _is_closed(payment, now):
        return False
    return _expire(order_id, now)


def _is_closed(payment: Payment, now: datetime) -> bool:
    """Return whether the gateway has confirmed, after our cancelling, that nothing was paid."""
    if payment.txn_id is None:
        return True
    if payment.closed_remotely_at is None:
        payment = check_payment(payment_id=payment.pk, now=now)
        if payment.is_open and payment.last_answer_at == now:
            close_remotely(payment_id=payment.pk, now=now)
        return False
    if payment.last_answer_at is None or payment.last_answer_at <= payment.closed_remotely_at:
        check_payment(payment_id=payment.pk, now=now)
        return False
    return True


@transaction.atomic
def _expire(order_id: int, now: datetime) -> bool:
    order = Order.objects.lock().get(pk=order_id)
    if order.status != OrderStatus.PENDING or order.payments.unapplied().exists():
        return False
    for payment in order.payments.open().order_by("pk").lock():
        end_payment(payment=payment, status=PaymentStatus.EXPIRED, now=now)
    end_order(order=order, status=OrderStatus.EXPIRED, now=now)
    return True


def due_orders(*, now: datetime, limit: int) -> list[int]:
    """Return the keys of pending orders whose time and grace are over, oldest first."""
    grace = store_settings().expiry_grace
    due = Order.objects.pending().filter(expires_at__lte=now - grace).order_by("expires_at")
    return list(due.values_list("pk", flat=True)[:limit])
