"""Wakes a job of an app above by its name in settings.JOBS.

The database says what work there is and the sweep finds it; a job only makes it prompt. So a
wake-up that is lost (no Redis, a crash after commit) costs seconds, never the work.
"""

import logging
from functools import partial

import django_rq
from django.conf import settings
from django.db import transaction
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def wake(name: str, *args: int) -> None:
    """Enqueue the job after the current transaction commits; arguments are ids, nothing else."""
    transaction.on_commit(partial(_enqueue, name, *args), robust=True)


def _enqueue(name: str, *args: int) -> None:
    queue, path = settings.JOBS[name]
    try:
        django_rq.get_queue(queue).enqueue(path, *args, result_ttl=0, failure_ttl=86_400)
    except (RedisError, OSError) as error:
        logger.warning("wake-up lost, the sweep will find the work", extra={"job": name})
        logger.debug("queue unreachable: %s", error)
