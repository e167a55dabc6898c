"""Readiness: one reason per part that is not well."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connections
from django.test import Client
from django.utils import timezone
from django_rq import get_connection
from redis.exceptions import TimeoutError as RedisTimeout
from rq import Worker as RqWorker

from core.heartbeat import beat
from operations import health
from operations.health import SEEN_LATELY, WORKER_SEEN_LATELY
from quickcart.local import server

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
NOW = timezone.now()


@pytest.fixture(autouse=True)
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Every part is well, and the clock stands still; a test breaks one."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    found = [worker(seconds=0)]
    monkeypatch.setattr(health, "Worker", SimpleNamespace(all=lambda connection: found))
    for name in ("bot", "scheduler"):
        beat(name=name, now=NOW)
    return found


def worker(**age: float) -> Any:
    return SimpleNamespace(last_heartbeat=NOW - timedelta(**age))


def ready() -> tuple[int, dict[str, Any]]:
    answer = Client().get("/health/ready/")
    return answer.status_code, answer.json()


def reasons() -> dict[str, str]:
    status, body = ready()
    assert (status, body["status"]) == (503, "unavailable")
    return body["reasons"]


def test_it_is_ready_when_everybody_was_seen_lately(workers: list[Any]) -> None:
    for name in ("bot", "scheduler"):
        beat(name=name, now=NOW - SEEN_LATELY)
    workers[:] = [worker(hours=1), SimpleNamespace(last_heartbeat=None), worker(seconds=90)]
    assert ready() == (200, {"status": "ready"})


@pytest.mark.parametrize("name", ["bot", "scheduler"])
def test_a_process_that_was_not_seen_lately_is_named(name: str) -> None:
    beat(name=name, now=NOW - SEEN_LATELY - timedelta(seconds=1))
    assert reasons() == {name: "last seen 31 s ago"}


@pytest.mark.parametrize("name", ["bot", "scheduler"])
def test_a_process_that_never_ran_is_named(name: str) -> None:
    health.Heartbeat.objects.filter(pk=name).delete()
    assert reasons() == {name: "never seen"}


def test_a_worker_that_was_not_seen_lately_is_named(workers: list[Any]) -> None:
    workers[:] = [worker(seconds=WORKER_SEEN_LATELY.total_seconds() + 1)]
    assert reasons() == {"worker": "last seen 91 s ago"}


def test_an_idle_worker_reports_often_enough() -> None:
    command = server._services()["worker"]
    (option,) = [each for each in command if each.startswith("--worker-ttl=")]
    seconds = int(option.partition("=")[2])
    idle = RqWorker(["high"], connection=get_connection("high"), worker_ttl=seconds)
    assert timedelta(seconds=idle.dequeue_timeout) * 1.5 < WORKER_SEEN_LATELY


def test_every_worker_moves_scheduled_jobs_too() -> None:
    assert "--with-scheduler" in server._services()["worker"]
    compose = Path(settings.BASE_DIR, "compose.yaml").read_text()
    [command] = [line for line in compose.splitlines() if "rqworker" in line]
    assert "--with-scheduler" in command


@pytest.mark.parametrize("beats", [[], [None]])
def test_a_worker_that_never_ran_is_named(workers: list[Any], beats: list[None]) -> None:
    workers[:] = [SimpleNamespace(last_heartbeat=each) for each in beats]
    assert reasons() == {"worker": "never seen"}


def test_a_redis_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(_name: str) -> Any:
        raise RedisTimeout

    monkeypatch.setattr(health.django_rq, "get_connection", silent)
    assert reasons() == dict.fromkeys(["redis", "worker"], "Redis does not answer")


@pytest.mark.parametrize("alias", ["default", "audit"])
def test_a_database_that_does_not_answer_is_named(
    monkeypatch: pytest.MonkeyPatch, alias: str
) -> None:
    def silent(*_: Any) -> Any:
        raise OperationalError

    monkeypatch.setattr(connections[alias], "cursor", silent)
    found = reasons()
    assert found["database"] == "the database does not answer"
    assert ("bot" in found) == (alias == "default")


@pytest.mark.parametrize("alias", ["default", "audit"])
def test_missing_migrations_are_named(alias: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'audit'")
    assert reasons() == {"migrations": f"migrations are missing in the {alias} database"}


def test_being_alive_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operations.views.find_problems", None)
    answer = Client().get("/health/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
