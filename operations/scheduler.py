"""The loop that sweeps. Of several schedulers one works, the others wait to take over."""

import logging
import threading
import time

from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.utils import timezone

from core.heartbeat import beat
from operations.sweep import sweep

logger = logging.getLogger(__name__)
PAUSE = 2.0
LOCK = (0x51_43, 1)
"""Key of the PostgreSQL advisory lock that the working scheduler holds (class, number)."""


def run_scheduler(stop: threading.Event) -> None:
    """Sweep every PAUSE seconds until `stop` is set; survive a database that goes away."""
    while not stop.is_set():
        started = time.monotonic()
        try:
            _turn()
        except (OperationalError, InterfaceError) as error:
            logger.warning("the database does not answer, trying again: %s", error)
            close_old_connections()
        stop.wait(max(PAUSE - (time.monotonic() - started), 0.1))


def _turn() -> None:
    close_old_connections()
    if not _holds_lock():
        return
    _beat()
    sweep(after_step=_beat)


def _beat() -> None:
    """After every step: a sweep that waits for a slow gateway is alive all the same."""
    beat(name="scheduler", now=timezone.now())


def _holds_lock() -> bool:
    """Take the lock, or learn that this session has it; it ends with the connection."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
            " AND classid = %s AND objid = %s AND granted",
            LOCK,
        )
        if cursor.fetchone()[0]:
            return True
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", LOCK)
        return bool(cursor.fetchone()[0])
