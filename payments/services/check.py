"""Asks the gateway about a payment, and settles what it answers."""

import logging
from datetime import datetime

from django.db.models import Q

from core.errors import DomainError
from payments.gateways.base import GatewayError, TransactionStatus
from payments.models import Payment, PaymentQuerySet, PaymentStatus
from payments.services.closing import close_remotely
from payments.services.health import call_gateway
from payments.services.opening import open_payment
from payments.services.schedule import CHECK_PAUSE, next_check
from payments.services.settle import resume_completion, settle

logger = logging.getLogger(__name__)


class AskedLately(DomainError):
    """Somebody asked about this transaction a moment ago: the gateway would refuse."""

    code = "asked_lately"


def check_payment(*, payment_id: int, now: datetime) -> Payment:
    """Ask about a payment and settle it; return it as it is then.

    Over all processes a transaction is asked about at most once in 4 s; in between, and while
    the gateway does not answer, the payment is returned as it is known.
    """
    told = ask_gateway(payment_id=payment_id, now=now)
    if told is None:
        return Payment.objects.get(pk=payment_id)
    return settle(payment_id=payment_id, told=told, now=now)


def ask_gateway(
    *, payment_id: int, now: datetime, txn_id: str | None = None
) -> TransactionStatus | None:
    """Return what transaction-status says, or None when it was not asked or did not answer.

    `txn_id` is asked about for a payment that has none of its own yet.
    """
    payment = Payment.objects.get(pk=payment_id)
    asked = payment.txn_id or txn_id
    if asked is None or not _claim(payment, now):
        return None
    try:
        return _ask(payment, asked, now)
    except GatewayError as error:
        logger.warning("no status", extra={"payment": payment_id, "why": str(error)})
        return None


def ask_to_compare(*, payment_id: int, now: datetime) -> TransactionStatus:
    """Ask about any payment that has a transaction, also a completed one.

    Raises AskedLately when its turn is not free, or what the gateway raises.
    """
    payment = Payment.objects.get(pk=payment_id)
    assert payment.txn_id is not None  # noqa: S101 (only those are compared)
    # When it is asked next stays: for a completed payment that is when its effect is repeated.
    if not _waited(payment, now).update(last_checked_at=now):
        raise AskedLately
    return _ask(payment, payment.txn_id, now)


def note_silence(*, payment_id: int, now: datetime) -> None:
    Payment.objects.filter(pk=payment_id, silent_since=None).update(silent_since=now)


def _ask(payment: Payment, txn_id: str, now: datetime) -> TransactionStatus:
    try:
        told = call_gateway(payment.gateway, lambda gateway: gateway.status(txn_id), now=now)
    except GatewayError:
        note_silence(payment_id=payment.pk, now=now)
        raise
    Payment.objects.filter(pk=payment.pk).update(last_answer_at=now, silent_since=None)
    return told


def _claim(payment: Payment, now: datetime) -> bool:
    """Take this transaction's turn: one conditional update, so that of many callers one asks."""
    rows = _waited(payment, now).exclude(status=PaymentStatus.COMPLETED)
    return bool(rows.update(last_checked_at=now, next_check_at=next_check(payment, now)))


def _waited(payment: Payment, now: datetime) -> PaymentQuerySet:
    waited = Q(last_checked_at=None) | Q(last_checked_at__lte=now - CHECK_PAUSE)
    return Payment.objects.filter(waited, pk=payment.pk)


def tend_payment(*, payment_id: int, now: datetime) -> None:
    """Do what is due for a payment, whatever state it is in."""
    payment = Payment.objects.get(pk=payment_id)
    if payment.status == PaymentStatus.CREATING:
        open_payment(payment_id=payment_id, now=now)
    elif payment.status == PaymentStatus.COMPLETED:
        resume_completion(payment_id=payment_id, now=now)
    elif not payment.is_open and payment.closed_remotely_at is None:
        close_remotely(payment_id=payment_id, now=now)
    else:
        check_payment(payment_id=payment_id, now=now)
