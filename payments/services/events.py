"""Webhook calls: stored at once, believed only after transaction-status (rule 4 of money)."""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from core.jobs import wake
from core.outbox import STAFF, enqueue_message
from payments.gateways import get_gateway
from payments.gateways.base import GatewayError, TransactionStatus, WebhookEvent
from payments.models import Case, CaseKind, GatewayEvent, Payment
from payments.services.check import ask_gateway
from payments.services.schedule import CHECK_PAUSE, JOB_HEAD_START
from payments.services.settle import settle

logger = logging.getLogger(__name__)
GIVE_UP_AFTER = timedelta(hours=1)
RETRY_AFTER = timedelta(seconds=30)


@transaction.atomic
def receive_event(*, gateway: str, event: WebhookEvent, now: datetime) -> bool:
    """Store an event; return whether it is new. A duplicate changes nothing."""
    row, is_new = GatewayEvent.objects.get_or_create(
        gateway=gateway,
        txn_id=event.txn_id[:80],
        status=event.status[:20],
        defaults={
            "order_id": event.order_id[:80],
            "body": event.body,
            "received_at": now,
            "next_try_at": now + JOB_HEAD_START,
        },
    )
    if row.handled_at is None:
        wake("handle_gateway_event", row.pk)
    return is_new


def handle_event(*, event_id: int, now: datetime) -> None:
    """Ask transaction-status about what an event names, and settle if it is one of ours."""
    event = GatewayEvent.objects.get(pk=event_id)
    if event.handled_at is not None:
        return
    payment = _find_payment(event)
    if payment is None:
        _handle_unmatched(event, now)
        return
    if payment.txn_id is None:
        told = _ask_about_adoption(event, payment)
    else:
        told = ask_gateway(payment_id=payment.pk, now=now)
    if told is None:
        _postpone(event, now, CHECK_PAUSE)
    elif _agrees(event, told):
        _adopt(payment, told)
        settle(payment_id=payment.pk, told=told, now=now)
        _finish(event, now)
    else:
        logger.warning("webhook and transaction-status differ", extra={"event": event.pk})
        _finish(event, now, "differs from transaction-status")


def _find_payment(event: GatewayEvent) -> Payment | None:
    known = Payment.objects.filter(gateway=event.gateway)
    return known.filter(Q(txn_id=event.txn_id) | Q(txn_id=None, reference=event.order_id)).first()


def _ask_about_adoption(event: GatewayEvent, payment: Payment) -> TransactionStatus | None:
    try:
        return get_gateway(payment.gateway).status(event.txn_id)
    except GatewayError as error:
        logger.warning("no status", extra={"event": event.pk, "why": str(error)})
        return None


def _agrees(event: GatewayEvent, told: TransactionStatus) -> bool:
    """Compare what identifies the payment; the status of the body is never proof of anything."""
    body = event.body
    return (
        told.txn_id == event.txn_id
        and told.order_id == event.order_id
        and str(body.get("amount")) == str(int(told.amount))
        and bool(body.get("is_sandbox")) == told.is_sandbox
    )


def _adopt(payment: Payment, told: TransactionStatus) -> None:
    """Take over the transaction of a payment whose creation timed out."""
    if told.order_id == payment.reference:
        Payment.objects.filter(pk=payment.pk, txn_id=None).update(txn_id=told.txn_id)


def _handle_unmatched(event: GatewayEvent, now: datetime) -> None:
    if now - event.received_at < GIVE_UP_AFTER:
        _postpone(event, now, RETRY_AFTER)
        return
    with transaction.atomic():
        case, _ = Case.objects.get_or_create(
            key=f"{CaseKind.UNMATCHED_EVENT}:{event.pk}",
            defaults={"kind": CaseKind.UNMATCHED_EVENT, "event": event, "opened_at": now},
        )
        enqueue_message(
            recipient=STAFF,
            kind="staff_case",
            references={"case_id": case.pk},
            dedupe_key=f"staff_case:{case.pk}",
        )
        _finish(event, now, "matches no payment")


def _postpone(event: GatewayEvent, now: datetime, pause: timedelta) -> None:
    GatewayEvent.objects.filter(pk=event.pk, handled_at=None).update(next_try_at=now + pause)


def _finish(event: GatewayEvent, now: datetime, error: str = "") -> None:
    GatewayEvent.objects.filter(pk=event.pk, handled_at=None).update(
        handled_at=now, next_try_at=None, error=error
    )
