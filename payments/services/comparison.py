"""Compares the gateway's word on a payment with ours, and settles what it finds there."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Q, QuerySet

from payments.gateways.base import GatewayRefused, GatewayStatus, TransactionStatus
from payments.models import Payment, PaymentStatus
from payments.services.check import ask_to_compare
from payments.services.settle import settle

UNKNOWN = "unknown"
"""Their word when the gateway refuses to tell: it has no such transaction."""
OTHER = "another transaction"
"""Their word when the answer is about something else."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What we had and what the gateway said; `remains`: they still differ, after settling."""

    payment_id: int
    reference: str
    ours: str
    theirs: str
    our_amount: Decimal
    their_amount: Decimal | None
    differs: bool
    remains: bool


def comparable_payments(*, now: datetime, within: timedelta | None) -> QuerySet[Payment]:
    """Return the payments to compare: the gateway can be asked about them, and they are recent.

    Recent is what was made, ended or completed within that time; None: all there are.
    """
    known = Payment.objects.filter(
        gateway=settings.PAYMENT_GATEWAY, txn_id__isnull=False, created_at__lte=now
    )
    if within is None:
        return known
    since = now - within
    recent = Q(created_at__gte=since) | Q(ended_at__gte=since) | Q(completed_at__gte=since)
    return known.filter(recent)


def compare_payment(
    *, payment_id: int, now: datetime, note: Callable[[Comparison], None] = lambda _found: None
) -> Comparison:
    """Ask about a payment, compare, and settle what the gateway says.

    `note` is told of a difference before it is settled, so that no crash can hide it. Raises
    AskedLately, or the GatewayError when there was no answer.
    """
    try:
        told = ask_to_compare(payment_id=payment_id, now=now)
    except GatewayRefused:
        told = None
    found = _compare(Payment.objects.get(pk=payment_id), told)
    if not found.differs:
        return found
    note(found)
    if told is None:
        return found
    payment = settle(payment_id=payment_id, told=told, now=now)
    return replace(found, remains=_compare(payment, told).differs)


def _compare(payment: Payment, told: TransactionStatus | None) -> Comparison:
    is_completed = payment.status == PaymentStatus.COMPLETED
    ours = payment.received_amount if is_completed else payment.amount
    differs = _differs(payment, told, ours)
    return Comparison(
        payment_id=payment.pk,
        reference=payment.reference,
        ours=payment.status,
        theirs=_word(payment, told),
        our_amount=Decimal(int(ours or 0)),
        their_amount=told.amount if told else None,
        differs=differs,
        remains=differs,
    )


def _word(payment: Payment, told: TransactionStatus | None) -> str:
    if told is None:
        return UNKNOWN
    return told.status.value if _is_about(payment, told) else OTHER


def _differs(payment: Payment, told: TransactionStatus | None, ours: Decimal | None) -> bool:
    is_completed = payment.status == PaymentStatus.COMPLETED
    if told is None:
        # The gateway forgets what was never paid; that is over here as well.
        return is_completed or payment.is_open
    if not _is_about(payment, told) or told.amount != ours:
        return True
    if is_completed or told.status == GatewayStatus.COMPLETED:
        return not (is_completed and told.status == GatewayStatus.COMPLETED)
    return payment.is_open and told.status == GatewayStatus.CANCELLED


def _is_about(payment: Payment, told: TransactionStatus) -> bool:
    is_ours = (told.txn_id, told.order_id) == (payment.txn_id, payment.reference)
    return is_ours and (settings.PAKASIR_SANDBOX or not told.is_sandbox)
