"""The worker that runs the jobs."""

from redis.client import Pipeline
from rq import Worker
from rq.worker_registration import register


class LastingWorker(Worker):
    """Says with every sign of life who it is: RQ's own does so at its start only.

    After Redis lost its data (flushed, or a new one) a worker goes on taking jobs, but nobody
    would see it until it is started again.
    """

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        super().heartbeat(timeout, pipeline)
        register(self, pipeline=pipeline)
