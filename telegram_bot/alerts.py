"""Staff hear once of a message that does not arrive, and of it again when it has arrived.

Never of messages to staff themselves, which would go the same way, nor of broadcasts.
"""

from datetime import datetime, timedelta

from core.models import OutboxMessage, OutboxPriority
from core.outbox import STAFF, enqueue_message

KEEPS_FAILING = timedelta(minutes=10)
"""After so long staff may have to help: somebody waits for goods, or for what became of money."""


def tell_if_it_keeps_failing(row: OutboxMessage, now: datetime) -> None:
    """In the transaction that writes down another failure."""
    if now - row.created_at >= KEEPS_FAILING:
        tell_of_failure(row, now)


def tell_of_failure(row: OutboxMessage, now: datetime) -> None:
    if row.kind.startswith("staff_") or row.priority >= OutboxPriority.BROADCAST:
        return
    fresh = OutboxMessage.objects.filter(pk=row.pk, alerted_at=None)
    if fresh.update(alerted_at=now):
        _tell("staff_message_stuck", row)


def tell_of_arrival(row: OutboxMessage) -> None:
    """In the transaction that marks it sent."""
    if row.alerted_at is not None:
        _tell("staff_message_arrived", row)


def _tell(kind: str, row: OutboxMessage) -> None:
    enqueue_message(
        recipient=STAFF,
        kind=kind,
        references={"outbox_id": row.pk},
        dedupe_key=f"{kind}:{row.pk}",
        priority=OutboxPriority.NOTICE,
    )
