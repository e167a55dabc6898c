"""Ends payments: here first, at the gateway after the commit."""

import logging
import time
from datetime import datetime, timedelta

from django.db import transaction

from core.jobs import wake
from orders.errors import OrderNotPending
from orders.models import Order
from payments.gateways.base import GatewayError, GatewayRateLimited, GatewayRefused
from payments.models import Payment, PaymentStatus
from payments.services.health import call_gateway
from payments.services.schedule import JOB_HEAD_START, next_check

logger = logging.getLogger(__name__)
REREAD_AFTER = timedelta(seconds=5)


def close_open_payments(*, order: Order, now: datetime) -> None:
    """Cancel the order's open payments; the caller holds the order's lock."""
    for payment in order.payments.open().order_by("pk").lock():
        end_payment(payment=payment, status=PaymentStatus.CANCELLED, now=now)


def lock_unpaid(*, order: Order) -> list[Payment]:
    """Lock the order's payments and return the open ones; the caller holds the order's lock.

    Raises OrderNotPending when the money of one has arrived and only its effect is missing: no
    completion can slip in between this look and the end of the transaction.
    """
    payments = list(order.payments.order_by("pk").lock())
    if any(each.status == PaymentStatus.COMPLETED and not each.applied_at for each in payments):
        raise OrderNotPending(order)
    return [payment for payment in payments if payment.is_open]


def end_payment(*, payment: Payment, status: PaymentStatus, now: datetime) -> None:
    """End an open payment whose lock the caller holds; the gateway is told after the commit."""
    payment.status = status
    payment.ended_at = now
    payment.next_check_at = now + JOB_HEAD_START if payment.txn_id else None
    payment.save(update_fields=["status", "ended_at", "next_check_at"])
    if payment.txn_id:
        wake("close_payment", payment.pk)


def close_remotely(*, payment_id: int, now: datetime) -> bool:
    """Cancel at the gateway and plan to read the status again; return whether it answered.

    A refusal is an answer too: what cannot be cancelled has ended there or is paid, and reading
    the status tells which.
    """
    payment = Payment.objects.get(pk=payment_id)
    txn_id = payment.txn_id
    if txn_id is None or payment.closed_remotely_at is not None:
        return True
    started = time.monotonic()
    try:
        call_gateway(payment.gateway, lambda gateway: gateway.cancel(txn_id), now=now)
    except GatewayRefused as refusal:
        logger.info("gateway refused to cancel: %s", refusal, extra={"payment": payment_id})
    except GatewayError as error:
        logger.warning("gateway did not cancel", extra={"payment": payment_id, "why": error.code})
        next_at = next_check(payment, now)
        if isinstance(error, GatewayRateLimited):
            next_at = now + timedelta(seconds=max(error.retry_after, 1))
        rows = Payment.objects.filter(pk=payment_id).exclude(status=PaymentStatus.COMPLETED)
        rows.update(next_check_at=next_at)
        return False
    # When it answered: only what was asked after that has read the status again.
    closed_at = now + timedelta(seconds=time.monotonic() - started)
    with transaction.atomic():
        rows = Payment.objects.filter(pk=payment_id)
        rows.update(closed_remotely_at=closed_at)
        rows.exclude(status=PaymentStatus.COMPLETED).update(next_check_at=now + REREAD_AFTER)
    return True
