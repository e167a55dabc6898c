"""Outbox to Telegram: claim, render, send, record. Any number of deliverers may run at once.

At least once: a crash between sending and recording sends the message again when its lease runs
out; nothing else does. In order per chat, as a row is due only when none before it waits.
"""

import logging
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from asgiref.sync import async_to_sync
from django.db import transaction
from django.utils import timezone

from accounts.models import Customer, StaffChat
from core.models import OutboxMessage, OutboxState
from telegram_bot import pace
from telegram_bot.messages import render_message
from telegram_bot.outcomes import OWN_ERRORS, SENT_PARTS, postpone, record_outcome
from telegram_bot.outgoing import Delivery, send_all
from telegram_bot.sender import Progress

logger = logging.getLogger(__name__)

# Longer than the sending of a batch: SEND_SECONDS and what happens around it.
LEASE = timedelta(seconds=60)
# All of a batch is sent side by side, one row a chat.
BATCH = 16
# A job has a time limit; whatever is left, the next one or the sweep goes on with.
MOST_SECONDS = 55.0
PROBLEM_KINDS = frozenset(
    {
        "staff_case",
        "staff_gateway_down",
        "staff_gateway_up",
        "staff_gateway_refuses",
        "staff_report",
        "staff_message_stuck",
        "staff_message_arrived",
    }
)


@dataclass(frozen=True)
class DeliveryReport:
    sent: int = 0
    dropped: int = 0
    postponed: int = 0
    paced: int = 0
    blocked: int = 0
    failed: int = 0


def deliver_outbox(
    *, now: datetime | None = None, limit: int = BATCH, seconds: float = MOST_SECONDS
) -> DeliveryReport:
    """Deliver until nothing is due; after `seconds` no further batch is begun.

    `now` is for travelling in time: without it the clock is read at every step, as leases and
    pauses must count from when they begin.
    """
    pace.begin()
    outcomes: Counter[str] = Counter()
    ends_at = time.monotonic() + seconds
    while True:
        rows = _claim(now or timezone.now(), limit)
        outcomes.update(_deliver(rows, now))
        if not rows or time.monotonic() >= ends_at:
            break
    return DeliveryReport(**{name: outcomes[name] for name in DeliveryReport.__match_args__})


@transaction.atomic
def _claim(now: datetime, limit: int) -> list[OutboxMessage]:
    return OutboxMessage.objects.claim(now=now, limit=limit, lease=LEASE)


def _deliver(rows: list[OutboxMessage], now: datetime | None) -> list[str]:
    """Fan out, or render and send, every row; return the outcomes."""
    outcomes: list[str] = []
    deliveries: list[Delivery] = []
    for row in rows:
        delivery = Delivery(row, progress=_progress(row), now=now)
        try:
            outcome = _prepare(delivery, now or timezone.now())
        except Exception as error:
            outcome = postpone(delivery, error, now or timezone.now())
        if outcome == "ready":
            deliveries.append(delivery)
        else:
            outcomes.append(outcome)
    if deliveries:
        async_to_sync(send_all)(deliveries)
    return outcomes + [_record(each, now or timezone.now()) for each in deliveries]


def _record(delivery: Delivery, now: datetime) -> str:
    try:
        return record_outcome(delivery, now)
    except Exception:
        # What the others of the batch became must be written all the same: they may hold goods.
        logger.exception("outcome not recorded", extra={"outbox": delivery.row.pk})
        return "unrecorded"


def _progress(row: OutboxMessage) -> Progress:
    return Progress(int(row.references.get(SENT_PARTS, 0)), row.telegram_message_id)


def _prepare(delivery: Delivery, now: datetime) -> str:
    """Render the row, or do what needs no sending; return its outcome or `ready`."""
    row = delivery.row
    if row.recipient is None:
        _fan_out(row, now)
        return "fanned_out"
    customer = Customer.objects.filter(pk=row.recipient).first()
    outgoing = render_message(row, customer)
    if outgoing is None:
        drop = OutboxMessage.objects.pending().filter(pk=row.pk)
        drop.update(state=OutboxState.DROPPED, leased_until=None)
        return "dropped"
    delivery.outgoing = outgoing
    return "ready"


@transaction.atomic
def _fan_out(row: OutboxMessage, now: datetime) -> None:
    """Make one row for each who should hear it, and the row itself done, in one step."""
    references = {key: row.references[key] for key in row.references if key != OWN_ERRORS}
    copies = [
        OutboxMessage(
            recipient=chat_id,
            kind=row.kind,
            references=references,
            priority=row.priority,
            dedupe_key=f"{row.dedupe_key}:{chat_id}",
        )
        for chat_id in _staff(row.kind)
    ]
    OutboxMessage.objects.bulk_create(copies, ignore_conflicts=True)
    state = OutboxState.SENT if copies else OutboxState.DROPPED
    OutboxMessage.objects.pending().filter(pk=row.pk).update(
        state=state, sent_at=now, leased_until=None
    )


def _staff(kind: str) -> list[int]:
    wish = "hears_problems" if kind in PROBLEM_KINDS else "hears_orders"
    admins = Customer.objects.admins().reachable().order_by("pk").values_list("pk", flat=True)
    groups = StaffChat.objects.filter(**{wish: True}).order_by("pk")
    return [*admins, *groups.values_list("chat_id", flat=True)]
