"""What happens to an order after it was placed: paid, delivered, ended."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from catalog.errors import ProductUnavailable
from catalog.services.stock import release_stock, reserve_stock, sell_stock
from core.models import OutboxMessage, OutboxQuerySet
from core.money import ZERO
from core.outbox import STAFF, enqueue_message
from orders.errors import OrderNotPending
from orders.models import Order, OrderStatus, PaymentMethod
from orders.services.vouchers import consume_voucher, reclaim_voucher, release_voucher

GOODS = "order_delivered"
"""The kind of the message with the goods."""
ENDED = (OrderStatus.EXPIRED, OrderStatus.CANCELLED)


@transaction.atomic
def mark_paid(*, order: Order, method: PaymentMethod, now: datetime, fee: Decimal = ZERO) -> Order:
    """Sell what the order reserved and write the messages; the caller holds the order's lock.

    `fee` is what the gateway took on top. An order that is paid already stays as it is. Raises
    OrderNotPending for an ended one.
    """
    if order.status == OrderStatus.PAID:
        return order
    if order.status != OrderStatus.PENDING:
        raise OrderNotPending(order)
    order.status = OrderStatus.PAID
    order.payment_method = method
    order.payment_fee = fee
    order.paid_at = now
    order.save(update_fields=["status", "payment_method", "payment_fee", "paid_at"])
    consume_voucher(order=order, now=now)
    for item in order.items.order_by("pk"):
        sell_stock(order_item=item)
    _tell(order, GOODS, staff_kind="staff_order_paid")
    return order


@transaction.atomic
def reopen_order(*, order: Order) -> Order:
    """Reserve again what an ended order gave back, for money that came late or by hand.

    Raises OutOfStock, VoucherRefused or ProductUnavailable, then nothing changed. Only `settle`
    and `mark_paid_by_hand` call this, and mark the order paid in the same transaction.
    """
    if order.status not in ENDED:
        raise OrderNotPending(order)
    reclaim_voucher(order=order)
    for item in order.items.select_related("product").order_by("pk"):
        product = item.product
        if product.deleted_at is not None or not product.is_active:
            raise ProductUnavailable(product.pk)
        reserve_stock(order_item=item)
    order.status = OrderStatus.PENDING
    order.ended_at = None
    order.save(update_fields=["status", "ended_at"])
    return order


@transaction.atomic
def end_order(*, order: Order, status: OrderStatus, now: datetime) -> Order:
    """Expire or cancel a pending order: free its goods and its voucher. Idempotent.

    The caller holds the order's lock. Raises OrderNotPending for a paid order.
    """
    if order.status == status:
        return order
    if order.status != OrderStatus.PENDING:
        raise OrderNotPending(order)
    order.status = status
    order.ended_at = now
    order.save(update_fields=["status", "ended_at"])
    release_voucher(order=order)
    for item in order.items.order_by("pk"):
        release_stock(order_item=item)
    if status == OrderStatus.EXPIRED:
        _tell(order, "order_expired", staff_kind="staff_order_expired")
    else:
        _tell(order, "order_cancelled")
    return order


def mark_delivered(*, order_id: int, now: datetime) -> None:
    """Remember that the goods reached the customer's chat (the first time counts)."""
    Order.objects.paid().filter(pk=order_id, delivered_at=None).update(delivered_at=now)


def goods_message(order_id: int) -> OutboxQuerySet:
    """Return the message with the goods of an order, if it was written."""
    return OutboxMessage.objects.filter(kind=GOODS, dedupe_key=f"{GOODS}:{order_id}")


def _tell(order: Order, kind: str, *, staff_kind: str = "") -> None:
    messages = [(order.customer_id, kind), (STAFF, staff_kind)]
    for recipient, each in messages[: 2 if staff_kind else 1]:
        enqueue_message(
            recipient=recipient,
            kind=each,
            references={"order_id": order.pk},
            dedupe_key=f"{each}:{order.pk}",
        )
