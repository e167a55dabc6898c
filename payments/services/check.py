"""Asks the gateway about a payment, and settles what it answers."""

import logging
from datetime import datetime

from django.db.models import Q

from payments.gateways.base import GatewayError, TransactionStatus
from payments.models import Payment, PaymentStatus
from payments.services.closing import close_remotely
from payments.services.health import call_gateway
from payments.services.opening import open_payment
from payments.services.schedule import CHECK_PAUSE, next_check
from payments.services.settle import resume_completion, settle

logger = logging.getLogger(__name__)


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
        told = call_gateway(payment.gateway, lambda gateway: gateway.status(asked), now=now)
    except GatewayError as error:
        logger.warning("no status", extra={"payment": payment_id, "why": str(error)})
        note_silence(payment_id=payment_id, now=now)
        return None
    Payment.objects.filter(pk=payment_id).update(last_answer_at=now, silent_since=None)
    return told


def note_silence(*, payment_id: int, now: datetime) -> None:
    Payment.objects.filter(pk=payment_id, silent_since=None).update(silent_since=now)


def _claim(payment: Payment, now: datetime) -> bool:
    """Take this transaction's turn: one conditional update, so that of many callers one asks."""
    waited = Q(last_checked_at=None) | Q(last_checked_at__lte=now - CHECK_PAUSE)
    rows = Payment.objects.filter(waited, pk=payment.pk).exclude(status=PaymentStatus.COMPLETED)
    return bool(rows.update(last_checked_at=now, next_check_at=next_check(payment, now)))


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
