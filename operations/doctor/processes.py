"""The processes of the shop and the jobs that wait for them."""

from datetime import UTC, datetime, timedelta

import django_rq
from django.conf import settings
from rq.job import Job

from operations.doctor.findings import Finding, ok, problem, warning
from operations.health import find_problems

MANY_JOBS = 1_000
OLD_JOB = timedelta(minutes=1)
COMMANDS = {
    "bot": "manage.py runbot",
    "worker": "manage.py rqworker high default low",
    "scheduler": "manage.py scheduler",
}


def check_bot(now: datetime) -> Finding:
    return _process("bot", now)


def check_worker(now: datetime) -> Finding:
    return _process("worker", now)


def check_scheduler(now: datetime) -> Finding:
    return _process("scheduler", now)


def _process(name: str, now: datetime) -> Finding:
    found = find_problems(now=now, parts=[name])
    if found:
        return problem(found[name], f"Start {COMMANDS[name]}.")
    return ok("seen lately")


def check_queues(now: datetime) -> Finding:
    """Jobs only wake up: the scheduler does what waits here too, a little later."""
    queues = [django_rq.get_queue(name) for name in settings.RQ_QUEUES]
    waiting = sum(queue.count for queue in queues)
    failed = sum(queue.failed_job_registry.count for queue in queues)
    ages = [age for queue in queues if (age := _oldest(queue.get_jobs(0, 1), now))]
    oldest = max(ages, default=timedelta())
    text = (
        f"{waiting:,} jobs wait, the oldest for {oldest.total_seconds():.0f} s; {failed:,} failed"
    )
    if waiting > MANY_JOBS or oldest > OLD_JOB:
        return warning(text, f"Start another {COMMANDS['worker']}.")
    if failed:
        advice = "Read the worker's log; the scheduler has done or will do what they were for."
        return warning(text, advice)
    return ok(text)


def _oldest(jobs: list[Job], now: datetime) -> timedelta | None:
    if not jobs or jobs[0].enqueued_at is None:
        return None
    enqueued_at = jobs[0].enqueued_at
    # Without a zone in rq before 2.2; it means UTC.
    return now - (enqueued_at if enqueued_at.tzinfo else enqueued_at.replace(tzinfo=UTC))
