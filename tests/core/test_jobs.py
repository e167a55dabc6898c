"""Wake-ups: after the commit, once, and never at the price of who waits."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import django_rq
import pytest
from django.conf import settings
from django.db import transaction

from core import jobs
from core.jobs import PATIENCE, SILENCE, wake

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
        for payment_id in (7, 8, 7):
            wake("open_payment", payment_id)
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
