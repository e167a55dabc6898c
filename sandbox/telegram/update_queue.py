"""The queue of updates. Readers see a prefix: no id ever turns up below one already seen."""

import json
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from sandbox.telegram.models import Update
from sandbox.telegram.signals import CHANNEL

KEPT_FOR = timedelta(hours=24)

# Ids are drawn before commit. A writer shares this lock from drawing to commit; a reader takes it
# alone for a moment: a bot could else confirm past an update not yet visible, and lose it.
_QUEUE_LOCK = 7_101

_APPEND = """
    INSERT INTO sandbox_update (kind, body, created_at)
    SELECT %s, %s::jsonb, %s FROM (SELECT pg_advisory_xact_lock_shared(%s)) AS held
    RETURNING update_id, pg_notify(%s, '')
"""


def append(kind: str, body: dict[str, Any]) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_APPEND, (kind, json.dumps(body), timezone.now(), _QUEUE_LOCK, CHANNEL))
        return int(cursor.fetchone()[0])


def read(limit: int) -> list[Update]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_QUEUE_LOCK])
        return list(Update.objects.order_by("update_id")[:limit])


def confirm(offset: int) -> None:
    """Forget what is below `offset` (negative: all but the newest), and what is too old."""
    gone = Q(created_at__lt=timezone.now() - KEPT_FOR)
    if offset < 0:
        newest = Update.objects.order_by("-update_id").values_list("update_id", flat=True)
        kept = list(newest[: min(-offset, 100)])
        offset = kept[-1] if kept else 0
    if offset > 0:
        gone |= Q(update_id__lt=offset)
    Update.objects.filter(gone).delete()


def clear() -> None:
    Update.objects.all().delete()


def count() -> int:
    return Update.objects.count()


def update_json(update: Update) -> dict[str, Any]:
    return {"update_id": update.update_id, update.kind: update.body}
