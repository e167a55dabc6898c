"""The loop: of several schedulers one works, and it outlives its database."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from core.models import Heartbeat
from operations import scheduler
from operations.scheduler import LOCK, run_scheduler

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "audit"])


def release(holder: Any) -> None:
    """End its locks now: those of a closed connection end when its server process notices."""
    if holder.is_usable():
        with holder.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")


@pytest.fixture(autouse=True)
def _locks_end_with_the_test() -> Iterator[None]:
    yield
    release(connection)
    connection.close()


@pytest.fixture
def swept(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """What each sweep was given to tell its progress to."""
    calls: list[Callable[[], None]] = []
    monkeypatch.setattr(scheduler, "sweep", lambda *, after_step: calls.append(after_step))
    return calls


@pytest.fixture
def other_scheduler() -> Iterator[Any]:
    other = connection.copy()
    yield other
    release(other)
    other.close()


def test_while_another_holds_the_lock_nothing_is_swept_and_no_beat_written(
    swept: list[Any], other_scheduler: Any
) -> None:
    with other_scheduler.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", LOCK)
    scheduler._turn()
    assert swept == []
    assert not Heartbeat.objects.exists()
    release(other_scheduler)
    scheduler._turn()
    assert len(swept) == 1
    assert Heartbeat.objects.get().name == "scheduler"


def test_the_lock_is_kept_from_turn_to_turn_and_taken_once(
    swept: list[Any], other_scheduler: Any
) -> None:
    for _ in range(3):
        scheduler._turn()
    with other_scheduler.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", LOCK)
        assert cursor.fetchone() == (False,)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", LOCK)
    with other_scheduler.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", LOCK)
        assert cursor.fetchone() == (True,)
    assert len(swept) == 3


def test_a_sweep_that_gets_on_is_alive_however_long_it_takes(swept: list[Any]) -> None:
    scheduler._turn()
    Heartbeat.objects.all().delete()
    before = timezone.now()
    swept[0]()
    beat = Heartbeat.objects.get()
    assert (beat.name, beat.seen_at >= before) == ("scheduler", True)


def test_the_loop_outlives_a_database_that_goes_away(
    swept: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    turns: list[int] = []

    def sweep_or_fail(*, after_step: Callable[[], None]) -> None:
        turns.append(len(turns))
        if len(turns) < 3:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        stop.set()

    monkeypatch.setattr(scheduler, "sweep", sweep_or_fail)
    monkeypatch.setattr(scheduler, "PAUSE", 0.1)
    run_scheduler(stop)
    assert turns == [0, 1, 2]


def test_what_is_no_fault_of_the_database_ends_the_process(
    swept: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*, after_step: Callable[[], None]) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(scheduler, "sweep", broken)
    with pytest.raises(ZeroDivisionError):
        run_scheduler(threading.Event())


def test_a_loop_that_is_told_to_stop_sweeps_no_more(swept: list[Any]) -> None:
    stop = threading.Event()
    stop.set()
    run_scheduler(stop)
    assert swept == []
