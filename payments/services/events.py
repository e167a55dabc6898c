"""Webhook calls: stored at once, believed only after transaction-status (rule 4 of money)."""

import logging
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from core.jobs import wake
from core.outbox import STAFF, enqueue_message
from payments.gateways.base import GatewayStatus, TransactionStatus, WebhookEvent
from payments.models import Case, CaseKind, GatewayEvent, Payment, PaymentStatus
from payments.services.check import ask_gateway
from payments.services.schedule import CHECK_PAUSE, JOB_HEAD_START
from payments.services.settle import settle

logger = logging.getLogger(__name__)
GIVE_UP_AFTER = timedelta(hours=1)
RETRY_AFTER = timedelta(seconds=30)
CONFIRMATION_TIME = timedelta(minutes=2)
"""How long a webhook may run ahead of transaction-status."""


@transaction.atomic
def receive_event(*, gateway: str, event: WebhookEvent, now: datetime) -> bool:
    """Store an event once per transaction and status; return whether it is new.

    A repetition is looked at again only while its payment is not completed: what was said too
    early, or wrongly, the first time must not silence what is true now.
    """
    hint = {
        "order_id": event.order_id[:80],
        "body": event.body,
        "received_at": now,
        "next_try_at": now + JOB_HEAD_START,
    }
    row, is_new = GatewayEvent.objects.get_or_create(
        gateway=gateway, txn_id=event.txn_id, status=event.status[:20], defaults=hint
    )
    if row.handled_at is not None and not _is_settled(row):
        GatewayEvent.objects.filter(pk=row.pk).update(handled_at=None, error="", **hint)
    if row.handled_at is None or not _is_settled(row):
        wake("handle_gateway_event", row.pk)
    return is_new


def _is_settled(event: GatewayEvent) -> bool:
    completed = Payment.objects.filter(status=PaymentStatus.COMPLETED)
    return completed.filter(gateway=event.gateway, txn_id=event.txn_id).exists()


def handle_event(*, event_id: int, now: datetime) -> None:
    """Ask transaction-status about what an event names, and settle if it is one of ours."""
    event = GatewayEvent.objects.get(pk=event_id)
    if event.handled_at is not None:
        return
    payment = _find_payment(event)
    if payment is None:
        _wait_for_match(event, now)
    elif payment.status == PaymentStatus.COMPLETED:
        _finish(event, now)
    else:
        _ask(event, payment, now)


def _find_payment(event: GatewayEvent) -> Payment | None:
    known = Payment.objects.filter(gateway=event.gateway)
    return known.filter(Q(txn_id=event.txn_id) | Q(txn_id=None, reference=event.order_id)).first()


def _ask(event: GatewayEvent, payment: Payment, now: datetime) -> None:
    told = ask_gateway(payment_id=payment.pk, now=now, txn_id=event.txn_id)
    if told is None:
        _wait_for_answer(event, payment, now)
    elif _agrees(event, told):
        _adopt(payment, told)
        settled = settle(payment_id=payment.pk, told=told, now=now)
        _finish_or_ask_again(event, settled, now)
    else:
        logger.warning("webhook and transaction-status differ", extra={"webhook": event.pk})
        _finish(event, now, "differs from transaction-status")


def _agrees(event: GatewayEvent, told: TransactionStatus) -> bool:
    """Compare what identifies the payment; the status of the body is never proof of anything."""
    body = event.body
    return (
        told.txn_id == event.txn_id
        and told.order_id == event.order_id
        and Decimal(str(body["amount"])) == told.amount
        and bool(body.get("is_sandbox")) == told.is_sandbox
    )


def _adopt(payment: Payment, told: TransactionStatus) -> None:
    """Take over the transaction of a payment whose creation timed out."""
    if told.is_sandbox and not settings.PAKASIR_SANDBOX:
        return
    if told.order_id == payment.reference:
        Payment.objects.filter(pk=payment.pk, txn_id=None).update(txn_id=told.txn_id)


def _finish_or_ask_again(event: GatewayEvent, payment: Payment, now: datetime) -> None:
    """A webhook may come a moment before transaction-status knows: give it some time."""
    is_early = (
        event.status == GatewayStatus.COMPLETED
        and payment.status != PaymentStatus.COMPLETED
        and now - event.received_at < CONFIRMATION_TIME
    )
    if is_early:
        _postpone(event, now, CHECK_PAUSE)
    else:
        _finish(event, now)


def _wait_for_answer(event: GatewayEvent, payment: Payment, now: datetime) -> None:
    """Ask again with growing pauses, for an hour; a known transaction is polled anyway."""
    age = now - event.received_at
    if age < GIVE_UP_AFTER:
        _postpone(event, now, max(CHECK_PAUSE, age / 10))
    elif payment.txn_id is None:
        _open_case(event, now)
    else:
        _finish(event, now, "no answer from transaction-status")


def _wait_for_match(event: GatewayEvent, now: datetime) -> None:
    if now - event.received_at < GIVE_UP_AFTER:
        _postpone(event, now, RETRY_AFTER)
    else:
        _open_case(event, now)


@transaction.atomic
def _open_case(event: GatewayEvent, now: datetime) -> None:
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
