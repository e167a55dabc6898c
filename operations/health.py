"""What keeps the shop from being ready, part by part."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import django_rq
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from redis.exceptions import RedisError
from rq import Worker

from core.models import Heartbeat

SEEN_LATELY = timedelta(seconds=30)
WORKER_SEEN_LATELY = timedelta(seconds=90)
"""An idle RQ worker reports less often than the bot and the scheduler."""


PARTS = ("database", "redis", "migrations", "bot", "worker", "scheduler")


def find_problems(*, now: datetime, parts: Collection[str] = PARTS) -> dict[str, str]:
    """Return a reason per part that is not well; empty when the shop is ready."""
    checks: dict[str, Callable[[datetime], str]] = {
        "database": _database,
        "redis": _redis,
        "migrations": _migrations,
        "bot": lambda moment: _heartbeat("bot", moment),
        "worker": _worker,
        "scheduler": lambda moment: _heartbeat("scheduler", moment),
    }
    found = {name: _reason(checks[name], now) for name in parts}
    return {name: reason for name, reason in found.items() if reason}


def _reason(check: Callable[[datetime], str], now: datetime) -> str:
    try:
        return check(now)
    except DatabaseError:
        return "the database does not answer"
    except (RedisError, OSError):
        return "Redis does not answer"


def _database(_now: datetime) -> str:
    for alias in ("default", "audit"):
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")
    return ""


def _redis(_now: datetime) -> str:
    django_rq.get_connection("high").ping()
    return ""


def _migrations(_now: datetime) -> str:
    for alias in ("default", "audit"):
        executor = MigrationExecutor(connections[alias])
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return f"migrations are missing in the {alias} database"
    return ""


def _heartbeat(name: str, now: datetime) -> str:
    seen_at = Heartbeat.objects.filter(pk=name).values_list("seen_at", flat=True).first()
    if seen_at is None:
        return "never seen"
    if now - seen_at > SEEN_LATELY:
        return f"last seen {int((now - seen_at).total_seconds())} s ago"
    return ""


def _worker(now: datetime) -> str:
    workers = Worker.all(connection=django_rq.get_connection("high"))
    beats = [worker.last_heartbeat for worker in workers if worker.last_heartbeat]
    if not beats:
        return "never seen"
    age = now - max(beats)
    return f"last seen {int(age.total_seconds())} s ago" if age > WORKER_SEEN_LATELY else ""
