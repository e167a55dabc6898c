"""Messages to people, written in the transaction of the change and sent later.

A row holds ids only: it is rendered when it is sent, in the recipient's language.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Q

from core.jobs import wake
from core.models import (
    OutboxMessage,
    OutboxPriority,
    OutboxState,
    SendingTurn,
    store_settings,
)

STAFF = None
DONE = (OutboxState.SENT, OutboxState.DROPPED)
PURGE_BATCH = 1_000
References = dict[str, int | str]


def enqueue_message(
    *,
    recipient: int | None,
    kind: str,
    references: References,
    dedupe_key: str,
    priority: OutboxPriority = OutboxPriority.ORDER,
    not_before: datetime | None = None,
) -> None:
    """Write a message once per dedupe key; recipient is a Telegram chat id or STAFF."""
    OutboxMessage.objects.bulk_create(
        [
            OutboxMessage(
                recipient=recipient,
                kind=kind,
                references=references,
                dedupe_key=dedupe_key,
                priority=priority,
                not_before=not_before,
            )
        ],
        ignore_conflicts=True,
    )
    wake("deliver_outbox")


def revive_messages(*, recipient: int, kinds: Collection[str]) -> None:
    """Send what the recipient's block kept back; the caller knows that they are reachable."""
    kept_back = OutboxMessage.objects.filter(
        recipient=recipient, kind__in=kinds, state=OutboxState.BLOCKED
    )
    if kept_back.update(state=OutboxState.PENDING, not_before=None, error=""):
        wake("deliver_outbox")


def purge_messages(*, now: datetime, limit: int = PURGE_BATCH) -> int:
    """Delete up to `limit` messages that were done with long enough ago; return how many.

    What waits, failed or was kept back by a block stays, however old. A deleted row no longer
    keeps its message from being written again, and need not: each is written at a change of state
    that happens once (an order paid, expired, cancelled; a payment opened, its money applied; a
    case opened), or, about an unopened payment, for the day at most that it may be open.
    """
    long_ago = now - timedelta(days=store_settings().keep_messages_days)
    done = OutboxMessage.objects.filter(state__in=DONE)
    old = done.filter(Q(sent_at=None) | Q(sent_at__lt=long_ago), created_at__lt=long_ago)
    keys = list(old.order_by("created_at").values_list("pk", flat=True)[:limit])
    deleted, _ = OutboxMessage.objects.filter(pk__in=keys, state__in=DONE).delete()
    SendingTurn.objects.filter(free_at__lt=now - timedelta(hours=1)).delete()
    return deleted
