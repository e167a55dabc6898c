"""What is forgotten by the store's retention settings, and when it was last looked for."""

from datetime import datetime, timedelta
from typing import Protocol

from audit.services import purge_audit
from core.heartbeat import beat
from core.models import Heartbeat
from core.outbox import purge_messages
from payments.services.retention import purge_events
from telegram_bot.processed import purge_updates


class Purge(Protocol):
    """Deletes a bounded batch of what is old enough; returns how many rows."""

    def __call__(self, *, now: datetime) -> int: ...


PURGES: tuple[Purge, ...] = (purge_messages, purge_events, purge_updates, purge_audit)
EVERY = timedelta(hours=1)
_NAME = "purge"


def is_due(*, now: datetime) -> bool:
    return not Heartbeat.objects.filter(name=_NAME, seen_at__gt=now - EVERY).exists()


def rest(*, now: datetime) -> None:
    """Look again in an hour: nothing is left, or what is left cannot be deleted now."""
    beat(name=_NAME, now=now)
