"""The log of calls, numbered so that a reader never misses one."""

from django.db import connection, transaction
from django.utils import timezone

from sandbox.changes import CHANNEL
from sandbox.telegram.models import RecordedCall

# As in the queue of updates: writers share it until commit, a reader takes it alone for a moment.
_LOG_LOCK = 7_103

_RECORD = """
    INSERT INTO sandbox_recordedcall (at, method, chat_id, ok, error_code, is_send)
    SELECT %s, %s, %s, %s, %s, %s FROM (SELECT pg_advisory_xact_lock_shared(%s)) AS held
    RETURNING pg_notify(%s, 'calls')
"""


def record(method: str, chat_id: int | None, error_code: int | None, *, is_send: bool) -> None:
    row = (timezone.now(), method, chat_id, error_code is None, error_code, is_send)
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, (*row, _LOG_LOCK, CHANNEL))


def read_after(n: int, *, limit: int = 0, **wanted: str | int) -> list[RecordedCall]:
    """Return the calls in order; with a `limit` only the newest that many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOG_LOCK])
        found = RecordedCall.objects.filter(n__gt=n, **wanted)
        if limit <= 0:
            return list(found.order_by("n"))
        return list(found.order_by("-n")[:limit])[::-1]
