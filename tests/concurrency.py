"""Real threads on real PostgreSQL: what several connections do at the same moment."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, connection, connections, transaction

from core.errors import DomainError

Work = Callable[[], Any]
PATIENCE = 30.0
"""Seconds after which a test gives up on a thread."""
DEFINITION = """
    SELECT pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conname = %s AND conrelid = %s::regclass
"""
WAITS = "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = %s AND NOT granted)"


def at_once(works: Sequence[Work]) -> list[Any]:
    """Run all at the same moment, each on its own connection; return results and refusals."""
    barrier = threading.Barrier(len(works))

    def begin(_process_id: int) -> None:
        barrier.wait(timeout=PATIENCE)

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(lambda work: _on_own_connection(work, begin), works))


def overlap(held: Work, *others: Work, last: Work | None = None, undo: bool = False) -> list[Any]:
    """Do `held` and keep its transaction open while the others begin, one after another.

    Each has its own connection and has ended, or waits for a lock, when the next begins. Then
    comes `last`, on the connection of `held`, and its commit, or with `undo` its rollback.
    Return the others' results and refusals; a deadlock is raised.
    """
    outer = transaction.atomic()
    outer._from_testcase = True  # as Django's TestCase does: a durable transaction may run inside
    with ThreadPoolExecutor(len(others)) as pool:
        with outer:
            held()
            futures = [_begin(pool, work) for work in others]
            if last is not None:
                last()
            transaction.set_rollback(undo)
        return [future.result(timeout=PATIENCE) for future in futures]


def unlocked(queryset: Any, **_options: Any) -> Any:
    """Replace a queryset's `lock` with this for a control."""
    return queryset


@contextmanager
def without_constraint(table: str, name: str) -> Iterator[None]:
    """Take a constraint away for a control, so that only a lock stands for what it refuses.

    It comes back for new rows: those that violate it by then are the control's to see.
    """
    with connection.cursor() as cursor:
        cursor.execute(DEFINITION, [name, table])
        [[definition]] = cursor.fetchall()
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    try:
        yield
    finally:
        later = "" if definition.startswith("UNIQUE") else " NOT VALID"
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}{later}")


def _begin(pool: ThreadPoolExecutor, work: Work) -> Future[Any]:
    """Start the work and return when it has ended or waits for a lock."""
    started: Future[int] = Future()
    future = pool.submit(_on_own_connection, work, started.set_result)
    process_id = started.result(timeout=PATIENCE)
    give_up_at = time.monotonic() + PATIENCE
    while not future.done() and not _is_waiting(process_id):
        assert time.monotonic() < give_up_at, "it neither ended nor waits for a lock"
        time.sleep(0.01)
    return future


def _is_waiting(process_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(WAITS, [process_id])
        return bool(cursor.fetchone()[0])


def _on_own_connection(work: Work, begin: Callable[[int], None]) -> Any:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            process_id = cursor.fetchone()[0]
        begin(process_id)
        return work()
    except (DomainError, IntegrityError) as error:
        return error
    finally:
        connections.close_all()
