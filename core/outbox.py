"""Messages to people, written in the transaction of the change and sent later.

A row holds ids only: it is rendered when it is sent, in the recipient's language.
"""

from collections.abc import Collection
from datetime import datetime

from core.jobs import wake
from core.models import OutboxMessage, OutboxPriority, OutboxState

STAFF = None
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
