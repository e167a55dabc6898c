"""Wake-ups: after the commit, once, and never at the price of who waits."""

import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import django_rq
import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from rq.scheduler import RQScheduler

from core import jobs
from core.jobs import PATIENCE, SILENCE, wake, wake_at
from core.worker import ShopWorker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def outage(monkeypatch: pytest.MonkeyPatch) -> jobs._Outage:
    fresh = jobs._Outage()
    monkeypatch.setattr(jobs, "_outage", fresh)
    return fresh


@pytest.fixture(autouse=True)
def queues() -> Iterator[dict[str, Any]]:
    found = {name: django_rq.get_queue(name) for name in settings.RQ_QUEUES}
    for queue in found.values():
        queue.empty()
    yield found
    for queue in found.values():
        queue.empty()
        for key in queue.scheduled_job_registry.get_job_ids():
            queue.scheduled_job_registry.remove(key, delete_job=True)
        queue.connection.close()


@pytest.fixture
def silent_redis(settings: Any) -> Iterator[None]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        yield
        jobs._connect(settings.REDIS_URL).close()


def waiting(queue: Any) -> list[tuple[str, tuple[int, ...]]]:
    return [(job.func_name, job.args) for job in queue.jobs]


def test_a_job_is_enqueued_after_the_commit(queues: dict[str, Any]) -> None:
    with transaction.atomic():
        wake("close_payment", 7)
        assert waiting(queues["default"]) == []
    assert waiting(queues["default"]) == [("payments.jobs.close_payment", (7,))]
    assert waiting(queues["high"]) == []


def test_a_rollback_leaves_no_job(queues: dict[str, Any]) -> None:
    with transaction.atomic():
        wake("deliver_outbox")
        transaction.set_rollback(True)
    assert waiting(queues["high"]) == []


def test_the_same_wake_up_of_one_transaction_is_one(queues: dict[str, Any]) -> None:
    with transaction.atomic():
        for event_id in (7, 8, 7):
            wake("handle_gateway_event", event_id)
            with transaction.atomic():
                wake("deliver_outbox")
    assert [args for _, args in waiting(queues["high"])] == [(7,), (), (8,)]


def test_a_wake_up_is_not_lost_with_an_equal_one_that_was_rolled_back(
    queues: dict[str, Any],
) -> None:
    with transaction.atomic():
        with transaction.atomic():
            wake("deliver_outbox")
            transaction.set_rollback(True)
        wake("deliver_outbox")
    assert len(waiting(queues["high"])) == 1


@pytest.mark.usefixtures("silent_redis")
def test_a_silent_redis_costs_a_second_once(outage: jobs._Outage) -> None:
    began = time.monotonic()
    for number in range(5):
        wake("open_payment", number)
    assert PATIENCE <= time.monotonic() - began < PATIENCE + 0.9
    assert outage.ends_at == pytest.approx(time.monotonic() + SILENCE, abs=1)


def test_after_its_silence_redis_is_tried_again(
    queues: dict[str, Any], outage: jobs._Outage
) -> None:
    outage.ends_at = time.monotonic() + SILENCE
    wake("deliver_outbox")
    assert waiting(queues["high"]) == []
    outage.ends_at = time.monotonic()
    wake("deliver_outbox")
    assert len(waiting(queues["high"])) == 1


def test_an_unknown_job_is_told_where_it_is_written() -> None:
    with pytest.raises(KeyError):
        wake("no_such_job")


class TestLater:
    def scheduled(self, queue: Any) -> list[tuple[tuple[int, ...], float]]:
        registry = queue.scheduled_job_registry
        jobs_of_it = [queue.fetch_job(key) for key in registry.get_job_ids()]
        return [
            (job.args, registry.get_scheduled_time(job).timestamp()) for job in jobs_of_it if job
        ]

    def test_a_job_is_scheduled_after_the_commit_for_its_moment(
        self, queues: dict[str, Any]
    ) -> None:
        moment = timezone.now().replace(microsecond=0) + timedelta(minutes=10)
        with transaction.atomic():
            wake_at("expire_payment", moment, 7)
            wake_at("expire_payment", moment, 7)
            assert self.scheduled(queues["default"]) == []
        assert self.scheduled(queues["default"]) == [((7,), moment.timestamp())]
        assert waiting(queues["default"]) == []

    def test_a_rollback_schedules_nothing(self, queues: dict[str, Any]) -> None:
        with transaction.atomic():
            wake_at("expire_payment", timezone.now(), 7)
            transaction.set_rollback(True)
        assert self.scheduled(queues["default"]) == []

    def test_when_its_moment_has_come_the_scheduler_enqueues_it(
        self, queues: dict[str, Any]
    ) -> None:
        now = timezone.now()
        wake_at("expire_payment", now - timedelta(seconds=1), 7)
        wake_at("expire_payment", now + timedelta(minutes=1), 8)
        scheduler = RQScheduler([queues["default"]], connection=queues["default"].connection)
        scheduler.acquire_locks()
        scheduler.enqueue_scheduled_jobs()
        scheduler.release_locks()
        assert waiting(queues["default"]) == [("payments.jobs.expire_payment", (7,))]
        assert [args for args, _ in self.scheduled(queues["default"])] == [(8,)]

    @pytest.mark.usefixtures("silent_redis")
    def test_a_silent_redis_is_not_asked_again_for_what_comes_later(
        self, outage: jobs._Outage
    ) -> None:
        began = time.monotonic()
        wake("open_payment", 7)
        wake_at("expire_payment", timezone.now(), 7)
        assert PATIENCE <= time.monotonic() - began < PATIENCE + 0.9

    def test_a_killed_workers_scheduling_is_taken_over_within_two_minutes(
        self, queues: dict[str, Any]
    ) -> None:
        worker = django_rq.get_worker("default", worker_ttl=60)
        assert isinstance(worker, ShopWorker)
        assert worker.maintenance_interval + worker.dequeue_timeout <= 120
