"""The worker that runs the jobs."""

from typing import Any

from redis.client import Pipeline
from rq import Worker
from rq.worker_registration import register


class ShopWorker(Worker):
    """Outlives a Redis that lost its data, and takes over the scheduling of a killed worker.

    RQ's own says who it is at its start only: after a flush it would go on taking jobs, but nobody
    would see it. And the dead one's scheduling lock lasts a minute; RQ looks again whether it is
    free when it tidies up, which is every ten minutes unless told otherwise.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"maintenance_interval": 60, **kwargs})

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        super().heartbeat(timeout, pipeline)
        register(self, pipeline=pipeline)
