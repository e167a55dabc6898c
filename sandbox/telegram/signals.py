"""Waking those who wait for updates, in any process: PostgreSQL's LISTEN and NOTIFY."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

CHANNEL = "sandbox_updates"

Wait = Callable[[float], None]


def notify() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


@contextmanager
def listening() -> Iterator[Wait]:
    """`wait(seconds)` returns early when something happened since the block was entered."""
    if connection.in_atomic_block:  # LISTEN would only begin with its commit
        yield lambda seconds: time.sleep(min(seconds, 0.05))
        return
    connection.ensure_connection()
    raw = connection.connection

    def wait(seconds: float) -> None:
        with connection.wrap_database_errors:
            for _ in raw.notifies(timeout=seconds, stop_after=1):
                pass

    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {CHANNEL}")
    try:
        yield wait
    finally:
        if not raw.closed:
            raw.execute(f"UNLISTEN {CHANNEL}")
