"""Staff say that an order is paid: the gateway is asked first (rule 8 of money)."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import Customer
from audit.services import record_audit
from core.clock import local_date
from core.errors import DomainError
from core.ids import random_code
from orders.errors import OrderNotFound, OrderNotPending
from orders.models import Order, OrderStatus, PaymentMethod
from orders.services.fulfilment import mark_paid, reopen_order
from payments.models import MANUAL, Payment, PaymentPurpose, PaymentStatus
from payments.services.check import ask_gateway
from payments.services.closing import close_open_payments, lock_unpaid
from payments.services.schedule import CHECK_PAUSE
from payments.services.settle import settle

MOST_REASON = 2000
"""Most characters of why an order is taken for paid."""


class ReasonRefused(DomainError):
    """A payment by hand has a reason, and no novel for one."""

    code = "reason_refused"


class GatewaySilent(DomainError):
    """The gateway did not say whether the order is paid there."""

    code = "gateway_silent"


@dataclass(frozen=True)
class MarkedPaid:
    """`payment` is the one recorded by hand; None: the gateway reported one, which was settled."""

    order: Order
    payment: Payment | None


def mark_paid_by_hand(
    *,
    order_id: int,
    reason: str,
    actor: str,
    source: str,
    now: datetime,
    without_answer: bool = False,
) -> MarkedPaid:
    """Ask the gateway about every payment of the order; if none is paid there, record one here.

    What is paid there is settled as ever, and nothing is recorded. An order that ended is paid
    too while its goods, voucher and product are there. Not to be called in a transaction: it
    waits for the gateway. Raises OrderNotFound, ReasonRefused, OrderNotPending (paid already),
    GatewaySilent (unless `without_answer`), OutOfStock, VoucherRefused or ProductUnavailable; then
    nothing changed.
    """
    reason = reason.strip()
    if not 0 < len(reason) <= MOST_REASON:
        raise ReasonRefused
    order = Order.objects.filter(pk=order_id).first()
    if order is None:
        raise OrderNotFound(str(order_id))
    if order.status == OrderStatus.PAID:
        raise OrderNotPending(order)
    is_settled, is_answered = _ask_about(order, now)
    if is_settled:
        order.refresh_from_db()
        return MarkedPaid(order, None)
    if not is_answered and not without_answer:
        raise GatewaySilent
    return _record(order, reason, actor=actor, source=source, now=now)


def _ask_about(order: Order, now: datetime) -> tuple[bool, bool]:
    """Settle what the gateway says is paid; return whether something was, and whether it spoke."""
    is_settled, is_answered = False, True
    asked = order.payments.exclude(txn_id=None).exclude(status=PaymentStatus.COMPLETED)
    for payment in asked.order_by("pk"):
        told = ask_gateway(payment_id=payment.pk, now=now)
        if told is not None:
            payment = settle(payment_id=payment.pk, told=told, now=now)  # noqa: PLW2901
        else:
            payment.refresh_from_db()
            is_answered &= _was_just_answered(payment, now)
        is_settled |= payment.status == PaymentStatus.COMPLETED
    return is_settled, is_answered


def _was_just_answered(payment: Payment, now: datetime) -> bool:
    """The gateway is asked once in 4 s: somebody else's answer of this moment is one, too."""
    return payment.last_answer_at is not None and payment.last_answer_at > now - CHECK_PAUSE


@transaction.atomic
def _record(order: Order, reason: str, *, actor: str, source: str, now: datetime) -> MarkedPaid:
    Customer.objects.lock().get(pk=order.customer_id)
    order = Order.objects.lock().get(pk=order.pk)
    lock_unpaid(order=order)  # money that arrived meanwhile comes first
    before = order.status
    if before == OrderStatus.PAID:
        raise OrderNotPending(order)
    if before != OrderStatus.PENDING:
        reopen_order(order=order)
    payment = _payment_by_hand(order, reason, now)
    mark_paid(order=order, method=PaymentMethod.MANUAL, now=now)
    close_open_payments(order=order, now=now)
    # The reason is free text and may name people: the payment keeps it, the trail its id.
    after = {"status": order.status, "payment": payment.pk, "amount": payment.amount}
    record_audit(
        actor=actor,
        action="mark_paid_by_hand",
        target=f"order:{order.pk}",
        source=source,
        now=now,
        changes=({"status": before}, after),
    )
    return MarkedPaid(order, payment)


def _payment_by_hand(order: Order, reason: str, now: datetime) -> Payment:
    return Payment.objects.create(
        purpose=PaymentPurpose.ORDER,
        customer_id=order.customer_id,
        order=order,
        gateway=MANUAL,
        reference=f"QM{local_date(now):%y%m%d}{random_code(14)}",
        amount=order.total_bill,
        received_amount=order.total_bill,
        status=PaymentStatus.COMPLETED,
        created_at=now,
        expires_at=now,
        completed_at=now,
        applied_at=now,
        reason=reason,
    )
