"""The worker is seen, whatever Redis has forgotten."""

from collections.abc import Iterator

import django_rq
import pytest
from django_rq.workers import get_worker
from redis import Redis
from rq import Worker


@pytest.fixture
def redis() -> Iterator[Redis]:
    connection = django_rq.get_connection("high")
    yield connection
    connection.flushdb()
    connection.close()


def test_a_worker_is_seen_again_after_redis_forgot_everything(redis: Redis) -> None:
    worker = get_worker("high", "low")
    worker.register_birth()
    redis.flushdb()
    assert Worker.all(connection=redis) == []
    worker.heartbeat()
    (seen,) = Worker.all(connection=redis)
    assert (seen.name, seen.last_heartbeat) == (worker.name, worker.last_heartbeat)
    worker.register_death()
    assert Worker.all(connection=redis) == []
