"""How an order is paid: a QRIS payment, the balance, or nothing at all when it costs nothing."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.errors import CustomerBanned
from accounts.models import Customer, LedgerKind
from accounts.services.balance import post_entry
from core.clock import local_date
from core.ids import random_code
from core.jobs import wake, wake_at
from core.money import ZERO
from orders.errors import MethodRefused, OrderNotFound, OrderNotPending
from orders.models import Order, OrderStatus, PaymentMethod
from orders.services.fulfilment import mark_paid
from orders.services.placing import Checkout, place_order
from orders.services.quotes import QRIS_LEAST, QRIS_MOST
from payments.gateways import get_gateway
from payments.models import Payment, PaymentPurpose, PaymentStatus
from payments.services.closing import close_open_payments, lock_unpaid
from payments.services.schedule import JOB_HEAD_START, first_step_at

__all__ = ["Checkout", "buy_with_balance", "buy_with_qris", "retry_qris", "take_for_free"]


def estimate_fee(*, amount: Decimal) -> Decimal:
    """What QRIS would probably add on top of `amount`; the fee the gateway returns is binding."""
    return get_gateway().estimate_fee(amount)


@transaction.atomic
def buy_with_qris(
    *, checkout: Checkout, chat_id: int, message_id: int | None, now: datetime
) -> Payment:
    """Place the order and begin its payment; the QR follows when the gateway has made it.

    `message_id` is the "preparing" message that the QR will replace. The same summary again
    returns its payment, whatever became of it. Raises what place_order raises, MethodRefused,
    or OrderNotPending when the summary's order was paid in another way.
    """
    order, is_new = place_order(checkout=checkout, method=PaymentMethod.QRIS, now=now)
    if not is_new:
        return _known_payment(order)
    _check_amount(order.total_bill)
    return _begin_payment(order, chat_id, message_id, now)


def _check_amount(total: Decimal) -> None:
    if total == ZERO:
        raise MethodRefused("free")
    if total < QRIS_LEAST:
        raise MethodRefused("too_small")
    if total > QRIS_MOST:
        raise MethodRefused("too_big")


def _known_payment(order: Order) -> Payment:
    payment = order.payments.order_by("-pk").first()
    if payment is None:
        raise OrderNotPending(order)
    return payment


def _begin_payment(order: Order, chat_id: int, message_id: int | None, now: datetime) -> Payment:
    payment = Payment.objects.create(
        purpose=PaymentPurpose.ORDER,
        customer_id=order.customer_id,
        order=order,
        gateway=get_gateway().name,
        reference=f"QC{local_date(now):%y%m%d}{random_code(14)}",
        amount=order.total_bill,
        created_at=now,
        expires_at=order.expires_at,
        next_check_at=now + JOB_HEAD_START,
        chat_id=chat_id,
        message_id=message_id,
    )
    wake("open_payment", payment.pk)
    wake_at("expire_payment", first_step_at(payment), payment.pk)
    return payment


@transaction.atomic
def retry_qris(
    *, order_id: int, customer_id: int, chat_id: int, message_id: int | None, now: datetime
) -> Payment:
    """Try the gateway again for a pending order; its price and its expiry stay as they were.

    A payment that is still open is tried again; a failed one is followed by a new one.
    """
    customer = Customer.objects.lock().get(pk=customer_id)
    order = Order.objects.lock().filter(pk=order_id, customer=customer).first()
    if order is None:
        raise OrderNotFound(str(order_id))
    if order.status != OrderStatus.PENDING or order.expires_at <= now:
        raise OrderNotPending(order)
    if customer.is_banned:
        raise CustomerBanned
    unpaid = lock_unpaid(order=order)
    if not unpaid:
        _check_amount(order.total_bill)
        return _begin_payment(order, chat_id, message_id, now)
    payment = unpaid[0]
    if payment.status == PaymentStatus.CREATING:
        payment.chat_id, payment.message_id = chat_id, message_id
        payment.next_check_at = now
        payment.save(update_fields=["chat_id", "message_id", "next_check_at"])
        wake("open_payment", payment.pk)
    return payment


@transaction.atomic
def buy_with_balance(*, checkout: Checkout, now: datetime) -> Order:
    """Place the order and pay it from the balance in one transaction.

    The same summary again returns its order; one that waits for a QRIS payment is paid now and
    its QR closed. Raises what place_order raises, InsufficientBalance, MethodRefused, or
    OrderNotPending for an order that ended.
    """
    order, _ = place_order(checkout=checkout, method=PaymentMethod.BALANCE, now=now)
    if order.status == OrderStatus.PAID:
        return order
    if order.status != OrderStatus.PENDING:
        raise OrderNotPending(order)
    if order.total_bill == ZERO:
        raise MethodRefused("free")
    close_open_payments(order=order, now=now)
    post_entry(
        customer_id=order.customer_id,
        amount=-order.total_bill,
        kind=LedgerKind.PURCHASE,
        reference=order.invoice_id,
        idempotency_key=f"order:{order.pk}:purchase",
        actor=f"customer:{order.customer_id}",
        now=now,
    )
    return mark_paid(order=order, method=PaymentMethod.BALANCE, now=now)


@transaction.atomic
def take_for_free(*, checkout: Checkout, now: datetime) -> Order:
    """Place an order whose total is Rp0: paid without payment, fee or ledger row."""
    order, _ = place_order(checkout=checkout, method=PaymentMethod.FREE, now=now)
    if order.total_bill != ZERO:
        raise MethodRefused("not_free")
    return mark_paid(order=order, method=PaymentMethod.FREE, now=now)
