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
from telegram_bot.messages import OutgoingMessage, render_message
from telegram_bot.outcomes import SENT_PARTS, postpone, record_outcome
from telegram_bot.outgoing import Delivery, send_all
from telegram_bot.screens import NOTICE_ONLY
from telegram_bot.sender import Progress

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
# All of a batch is sent side by side, one row a chat.
BATCH = 16
# A job has a time limit; whatever is left, the next one or the sweep goes on with.
MOST_SECONDS = 55
PROBLEM_KINDS = frozenset({"staff_case"})


@dataclass(frozen=True)
class DeliveryReport:
    sent: int = 0
    dropped: int = 0
    postponed: int = 0
    blocked: int = 0
    failed: int = 0


def deliver_outbox(*, now: datetime | None = None, limit: int = BATCH) -> DeliveryReport:
    """Deliver until nothing is due; `now` stands still when it is given."""
    outcomes: Counter[str] = Counter()
    started = time.monotonic()
    while time.monotonic() - started < MOST_SECONDS:
        rows = _claim(now or timezone.now(), limit)
        if not rows:
            break
        outcomes.update(_deliver(rows, now))
    return DeliveryReport(**{name: outcomes[name] for name in DeliveryReport.__match_args__})


@transaction.atomic
def _claim(now: datetime, limit: int) -> list[OutboxMessage]:
    return OutboxMessage.objects.claim(now=now, limit=limit, lease=LEASE)


def _deliver(rows: list[OutboxMessage], now: datetime | None) -> list[str]:
    """Fan out, or render and send, every row; return the outcomes."""
    outcomes: list[str] = []
    deliveries: list[Delivery] = []
    for row in rows:
        if row.recipient is None:
            _fan_out(row, now or timezone.now())
        else:
            outcomes += _prepare(row, row.recipient, deliveries, now or timezone.now())
    if deliveries:
        async_to_sync(send_all)(deliveries)
    outcomes += [record_outcome(each, now or timezone.now()) for each in deliveries]
    return outcomes


@transaction.atomic
def _fan_out(row: OutboxMessage, now: datetime) -> None:
    """Make one row for each who should hear it, and the row itself done, in one step."""
    copies = [
        OutboxMessage(
            recipient=chat_id,
            kind=row.kind,
            references=row.references,
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


def _prepare(
    row: OutboxMessage, chat_id: int, deliveries: list[Delivery], now: datetime
) -> list[str]:
    """Render the row and add it to what is sent; return its outcome when it is not."""
    progress = Progress(int(row.references.get(SENT_PARTS, 0)), row.telegram_message_id)
    try:
        customer = Customer.objects.filter(pk=chat_id).first()
        outgoing = render_message(row, customer)
    except Exception as error:
        return [
            postpone(Delivery(row, chat_id, OutgoingMessage(NOTICE_ONLY), progress), error, now)
        ]
    if outgoing is None:
        drop = OutboxMessage.objects.pending().filter(pk=row.pk)
        drop.update(state=OutboxState.DROPPED, leased_until=None)
        return ["dropped"]
    deliveries.append(Delivery(row, chat_id, outgoing, progress))
    return []
