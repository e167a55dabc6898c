"""Creates the transaction at the gateway and hands its QR to the customer."""

import logging
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction

from core.outbox import enqueue_message
from orders.models import Order
from payments.gateways.base import (
    Gateway,
    GatewayError,
    GatewayRateLimited,
    GatewayRefused,
    GatewayTransaction,
)
from payments.models import Payment, PaymentStatus
from payments.services.closing import end_payment
from payments.services.health import call_gateway
from payments.services.outages import tell_of_refusals
from payments.services.schedule import FIRST_CHECK, OPENING_LEASE, opening_retry

logger = logging.getLogger(__name__)


def open_payment(*, payment_id: int, now: datetime) -> None:
    """Ask the gateway for the transaction of a payment that is being created.

    Safe to repeat: the gateway finds what it created before under the same reference. While the
    gateway is away the customer is told once, and the sweep goes on trying until the expiry.
    """
    payment = _claim(payment_id, now)
    if payment is None:
        return
    try:
        made = call_gateway(payment.gateway, partial(_create, payment), now=now)
        _check_sandbox_flag(made)
    except GatewayError as error:
        _note_failure(payment_id, error, now)
    else:
        _store(payment_id, made, now)


def _create(payment: Payment, gateway: Gateway) -> GatewayTransaction:
    return gateway.create(
        order_id=payment.reference, amount=payment.amount, deadline=payment.expires_at
    )


@transaction.atomic
def _claim(payment_id: int, now: datetime) -> Payment | None:
    payment = Payment.objects.lock().get(pk=payment_id)
    if payment.status != PaymentStatus.CREATING or payment.expires_at <= now:
        # Its order ends by the expiry sweep; nothing is created for it any more.
        Payment.objects.filter(pk=payment_id, status=PaymentStatus.CREATING).update(
            next_check_at=None
        )
        return None
    is_taken = payment.attempts > 0 and (payment.next_check_at or now) > now
    if is_taken:
        return None
    payment.attempts += 1
    payment.next_check_at = now + OPENING_LEASE
    payment.save(update_fields=["attempts", "next_check_at"])
    return payment


def _check_sandbox_flag(made: GatewayTransaction) -> None:
    if made.is_sandbox and not settings.PAKASIR_SANDBOX:
        raise GatewayRefused(status_code=None, message="a sandbox transaction in a real store")


@transaction.atomic
def _note_failure(payment_id: int, error: GatewayError, now: datetime) -> None:
    logger.error("payment not opened", extra={"payment": payment_id, "why": str(error)})
    payment = Payment.objects.lock().get(pk=payment_id)
    if payment.status != PaymentStatus.CREATING:
        return
    if isinstance(error, GatewayRateLimited):
        # Many pay at once: its turn comes in a moment, there is nothing to tell or to count.
        payment.attempts -= 1
        payment.next_check_at = now + timedelta(seconds=max(error.retry_after, 1))
        payment.save(update_fields=["attempts", "next_check_at"])
        return
    if isinstance(error, GatewayRefused):
        end_payment(payment=payment, status=PaymentStatus.FAILED, now=now)
        tell_of_refusals(gateway=payment.gateway, now=now)
    else:
        payment.next_check_at = opening_retry(payment, now)
        payment.save(update_fields=["next_check_at"])
    enqueue_message(
        recipient=payment.customer_id,
        kind="payment_unavailable",
        references={"payment_id": payment.pk},
        dedupe_key=f"payment_unavailable:{payment.pk}",
    )


@transaction.atomic
def _store(payment_id: int, made: GatewayTransaction, now: datetime) -> None:
    order_id = Payment.objects.values_list("order", flat=True).get(pk=payment_id)
    order = Order.objects.lock().filter(pk=order_id).first()
    payment = Payment.objects.lock().get(pk=payment_id)
    if payment.txn_id is not None and payment.status != PaymentStatus.CREATING:
        return  # a peer stored it, or a webhook told of it, and it has moved on since
    payment.txn_id = made.txn_id
    payment.fee = made.fee
    payment.total_payment = made.total_payment
    payment.qr_string = made.qr_string
    payment.gateway_expires_at = made.expired_at
    if payment.status == PaymentStatus.CREATING:
        _show_qr(payment, order, now)
    else:
        # It ended while the gateway was working: close there what must not be paid any more.
        payment.next_check_at = now
    payment.save()


def _show_qr(payment: Payment, order: Order | None, now: datetime) -> None:
    payment.status = PaymentStatus.PENDING
    payment.next_check_at = now + FIRST_CHECK
    if order is not None:
        order.payment_fee = payment.fee
        order.save(update_fields=["payment_fee"])
    enqueue_message(
        recipient=payment.customer_id,
        kind="payment_qr",
        references={"payment_id": payment.pk},
        dedupe_key=f"payment_qr:{payment.pk}",
    )
