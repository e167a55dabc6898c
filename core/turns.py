"""Turns of all processes, in the database: for a time without Redis."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from core.models import SendingTurn

UNUSED = timedelta(minutes=1)
"""Nobody knows what happened where a turn was not used for so long: it counts as just taken."""


@transaction.atomic
def take_turn(*, turns: Mapping[str, timedelta], now: datetime) -> timedelta:
    """Take all of these turns, or none; return zero, or how long to wait for them.

    `turns` are names with the time from one taker to the next.
    """
    held = SendingTurn.objects.filter(pk__in=turns).order_by("pk").lock()
    rows = list(held)
    if len(rows) < len(turns):
        fresh = [SendingTurn(name=name, free_at=now + turns[name]) for name in sorted(turns)]
        SendingTurn.objects.bulk_create(fresh, ignore_conflicts=True)
        rows = list(held.all())
    for row in rows:
        if row.free_at + UNUSED < now:
            row.free_at = now + turns[row.name]
    wait = max(row.free_at for row in rows) - now
    if wait <= timedelta(0):
        for row in rows:
            row.free_at = now + turns[row.name]
    SendingTurn.objects.bulk_update(rows, ["free_at"])
    return max(wait, timedelta(0))
