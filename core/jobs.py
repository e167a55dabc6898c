"""Wakes a job of an app above by its name in settings.JOBS.

The database says what work there is and the sweep finds it; a job only makes it prompt. So a
wake-up that is lost (no Redis, a crash after commit) costs seconds, never the work.
"""

import functools
import logging
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import django_rq
from django.conf import settings
from django.db import transaction
from redis import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
PATIENCE = 1.0
"""Seconds to wait for Redis: somebody is waiting for what follows the commit."""
SILENCE = 5.0
"""Seconds without wake-ups after one failed: the next would cost the same and wake nobody."""


@dataclass(frozen=True)
class WakeUp:
    queue: str
    path: str
    args: tuple[int, ...]
    at: datetime | None = None

    def enqueue(self) -> None:
        if time.monotonic() < _outage.ends_at:
            return
        connection = _connect(settings.REDIS_URL)
        queue = django_rq.get_queue(self.queue, connection=connection, commit_mode="auto")
        kept: dict[str, Any] = {"result_ttl": 0, "failure_ttl": 86_400}
        try:
            if self.at is None:
                queue.enqueue(self.path, *self.args, **kept)
            else:
                queue.enqueue_at(self.at, self.path, *self.args, **kept)
        except (RedisError, OSError) as error:
            _outage.ends_at = time.monotonic() + SILENCE
            logger.warning("wake-up lost, the sweep will find the work", extra={"job": self.path})
            logger.debug("queue unreachable: %s", error)


@dataclass
class _Outage:
    """When this process may try Redis again. Threads may write it side by side: any will do."""

    ends_at: float = 0.0


_outage = _Outage()


def wake(name: str, *args: int) -> None:
    """Enqueue the job after the current transaction commits; arguments are ids, nothing else.

    The same wake-up again in one transaction is one: it is never undone without the first.
    """
    _after_commit(WakeUp(*settings.JOBS[name], args))


def wake_at(name: str, moment: datetime, *args: int) -> None:
    """Schedule the job for a moment, after the current transaction commits; ids only, as ever.

    RQ's scheduler, in the worker, enqueues it then. One that is lost is covered by the sweep.
    """
    _after_commit(WakeUp(*settings.JOBS[name], args, moment))


def _after_commit(wake_up: WakeUp) -> None:
    waiting = transaction.get_connection().run_on_commit
    if not any(getattr(call, "__self__", None) == wake_up for _, call, _ in waiting):
        transaction.on_commit(wake_up.enqueue, robust=True)


@functools.cache
def _connect(url: str) -> Redis:
    """Return connections of their own: a worker's wait longer for their next job than we may."""
    return Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
