"""A customer cancels an order that is not paid."""

from datetime import datetime

from django.db import transaction

from orders.errors import OrderNotFound
from orders.models import Order, OrderStatus
from orders.services.fulfilment import end_order
from payments.models import PaymentStatus
from payments.services.closing import end_payment, lock_unpaid


@transaction.atomic
def cancel_order(*, order_id: int, customer_id: int, now: datetime) -> Order:
    """Cancel a customer's own pending order; its goods are free at once. Idempotent.

    Raises OrderNotFound, or OrderNotPending when it is paid, expired, or its money has arrived.
    """
    order = Order.objects.lock().filter(pk=order_id, customer=customer_id).first()
    if order is None:
        raise OrderNotFound(str(order_id))
    for payment in lock_unpaid(order=order):
        end_payment(payment=payment, status=PaymentStatus.CANCELLED, now=now)
    return end_order(order=order, status=OrderStatus.CANCELLED, now=now)
