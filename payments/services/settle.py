"""The one settlement, for webhook, poller, status button and staff (rules 3 and 6 of money).

T1 stores that the money came and commits, alone. T2 gives it its effect: the order paid and its
goods sold, or the balance credited. T2 may be repeated until it is done; money is never dropped.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from accounts.models import Customer, LedgerKind
from accounts.services.balance import post_entry
from catalog.errors import OutOfStock, ProductUnavailable
from core.models import store_settings
from core.outbox import STAFF, References, enqueue_message
from orders.errors import VoucherRefused
from orders.models import Order, OrderStatus, PaymentMethod
from orders.services.fulfilment import mark_paid, reopen_order
from payments.gateways.base import GatewayStatus, TransactionStatus
from payments.models import Case, CaseKind, Payment, PaymentStatus
from payments.services.closing import close_open_payments

logger = logging.getLogger(__name__)
PAUSE = timedelta(seconds=30)


def settle(*, payment_id: int, told: TransactionStatus, now: datetime) -> Payment:
    """Take over what transaction-status says about a payment. Idempotent.

    Only an answer of transaction-status proves anything; a webhook's body must not come here.
    """
    payment = Payment.objects.get(pk=payment_id)
    if not _is_about(payment, told):
        logger.error("transaction-status answers for another payment", extra=_names(payment, told))
        return payment
    if told.status == GatewayStatus.COMPLETED:
        record_completion(payment_id=payment_id, told=told, now=now)
        apply_completion(payment_id=payment_id, now=now)
    elif told.status == GatewayStatus.CANCELLED:
        _end_cancelled(payment_id, now)
    payment.refresh_from_db()
    return payment


def _is_about(payment: Payment, told: TransactionStatus) -> bool:
    if told.is_sandbox and not settings.PAKASIR_SANDBOX:
        return False
    return told.txn_id == payment.txn_id and told.order_id == payment.reference


def _names(payment: Payment, told: TransactionStatus) -> dict[str, object]:
    return {
        "payment": payment.pk,
        "txn": told.txn_id,
        "order_id": told.order_id,
        "sandbox": told.is_sandbox,
    }


@transaction.atomic(durable=True)
def record_completion(*, payment_id: int, told: TransactionStatus, now: datetime) -> None:
    """T1, committed alone. Completed is final: a second completion changes nothing."""
    payment = Payment.objects.lock().get(pk=payment_id)
    if payment.status == PaymentStatus.COMPLETED:
        return
    payment.status = PaymentStatus.COMPLETED
    payment.received_amount = told.amount
    payment.completed_at = now
    payment.next_check_at = None
    payment.save(update_fields=["status", "received_amount", "completed_at", "next_check_at"])


def resume_completion(*, payment_id: int, now: datetime) -> None:
    """Repeat T2 for a completion it did not finish; one that fails lets the others pass first."""
    Payment.objects.unapplied().filter(pk=payment_id).update(next_check_at=now + PAUSE)
    apply_completion(payment_id=payment_id, now=now)


@transaction.atomic
def apply_completion(*, payment_id: int, now: datetime) -> None:
    """T2. Runs once per payment; whoever comes second finds it done."""
    peek = Payment.objects.get(pk=payment_id)
    customer = Customer.objects.lock().get(pk=peek.customer_id)
    order = Order.objects.lock().get(pk=peek.order_id) if peek.order_id else None
    payment = Payment.objects.lock().get(pk=payment_id)
    if payment.status != PaymentStatus.COMPLETED or payment.applied_at is not None:
        return
    if order is None:
        _apply_to_deposit(payment, now)
    else:
        _apply_to_order(payment, order, customer, now)
    payment.applied_at = now
    payment.next_check_at = None
    payment.save(update_fields=["applied_at", "next_check_at"])


def _apply_to_deposit(payment: Payment, now: datetime) -> None:
    """Credit what came, early, late or another amount: a deposit needs nothing else."""
    if payment.received_amount != payment.amount:
        _open_case(payment, CaseKind.AMOUNT_DIFFERS, now)
    if _credit(payment, LedgerKind.DEPOSIT, now):
        _tell(payment.customer_id, "deposit_credited", {"payment_id": payment.pk})
        _tell(STAFF, "staff_deposit", {"payment_id": payment.pk})


def _apply_to_order(payment: Payment, order: Order, customer: Customer, now: datetime) -> None:
    if order.status == OrderStatus.PAID and order.payment_method == PaymentMethod.MANUAL:
        # Perhaps the very money staff took for paid: what becomes of it, a person decides.
        _open_case(payment, CaseKind.PAID_AFTER_MANUAL, now)
        _tell(payment.customer_id, "payment_in_review", {"payment_id": payment.pk})
    elif payment.received_amount != payment.amount:
        _open_case(payment, CaseKind.AMOUNT_DIFFERS, now)
        _credit_order_money(payment, now)
    elif order.status == OrderStatus.PENDING or _reopened(order, customer):
        mark_paid(order=order, method=PaymentMethod.QRIS, fee=payment.fee, now=now)
        close_open_payments(order=order, now=now)
    else:
        _credit_order_money(payment, now)


def _reopened(order: Order, customer: Customer) -> bool:
    """Take the goods of an ended order again if everything it needs is still there."""
    if order.status == OrderStatus.PAID or customer.is_banned:
        return False
    if not store_settings().deliver_late_payments:
        return False
    try:
        reopen_order(order=order)
    except (OutOfStock, ProductUnavailable, VoucherRefused) as refusal:
        logger.info("late payment is credited", extra={"order": order.pk, "why": refusal.code})
        return False
    return True


def _credit_order_money(payment: Payment, now: datetime) -> None:
    if _credit(payment, LedgerKind.PAYMENT_CREDIT, now):
        _tell(payment.customer_id, "payment_credited", {"payment_id": payment.pk})
        _tell(STAFF, "staff_payment_credited", {"payment_id": payment.pk})


def _credit(payment: Payment, kind: LedgerKind, now: datetime) -> bool:
    """Credit what came; False: nothing came, the case that the difference opened says so."""
    if not payment.received_amount:
        return False
    post_entry(
        customer_id=payment.customer_id,
        amount=payment.received_amount,
        kind=kind,
        reference=payment.reference,
        idempotency_key=f"payment:{payment.pk}:credit",
        actor="system",
        now=now,
    )
    return True


def _open_case(payment: Payment, kind: CaseKind, now: datetime) -> None:
    case, _ = Case.objects.get_or_create(
        key=f"{kind}:{payment.pk}",
        defaults={
            "kind": kind,
            "order": payment.order,
            "payment": payment,
            "opened_at": now,
        },
    )
    _tell(STAFF, "staff_case", {"case_id": case.pk})


def _tell(recipient: int | None, kind: str, references: References) -> None:
    key = ":".join(str(value) for value in references.values())
    enqueue_message(
        recipient=recipient, kind=kind, references=references, dedupe_key=f"{kind}:{key}"
    )


@transaction.atomic
def _end_cancelled(payment_id: int, now: datetime) -> None:
    """Follow a gateway that cancelled on its own; what we cancelled ends by our rules."""
    payment = Payment.objects.lock().get(pk=payment_id)
    if payment.closed_remotely_at is not None:
        return
    payment.closed_remotely_at = now
    if payment.is_open:
        payment.status = PaymentStatus.CANCELLED
        payment.ended_at = now
        if payment.order_id is None:
            # An order's own end takes its QR away; a deposit has nothing else that ends.
            _tell(payment.customer_id, "deposit_expired", {"payment_id": payment.pk})
    payment.save(update_fields=["status", "ended_at", "closed_remotely_at"])
