"""The log of calls, numbered so that a reader never misses one."""

from django.db import connection, transaction
from django.utils import timezone

from sandbox.telegram.models import RecordedCall

# As in the queue of updates: writers share it until commit, a reader takes it alone for a moment.
_LOG_LOCK = 7_103

_RECORD = """
    INSERT INTO sandbox_recordedcall (at, method, chat_id, ok, error_code, is_send)
    SELECT %s, %s, %s, %s, %s, %s FROM (SELECT pg_advisory_xact_lock_shared(%s)) AS held
"""


def record(method: str, chat_id: int | None, error_code: int | None, *, is_send: bool) -> None:
    is_ok = error_code is None
    with connection.cursor() as cursor:
        cursor.execute(
            _RECORD,
            (timezone.now(), method, chat_id, is_ok, error_code, is_send, _LOG_LOCK),
        )


def read_after(n: int, **wanted: str | int) -> list[RecordedCall]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOG_LOCK])
        return list(RecordedCall.objects.filter(n__gt=n, **wanted).order_by("n"))
