"""What waits to be sent, shipped or looked at."""

from datetime import datetime, timedelta

from django.db.models import Count, Min, Q

from audit.models import AuditEntry
from core.models import OutboxMessage, OutboxState
from operations.doctor.findings import Finding, ok, problem, warning
from payments.models import Case

LATE, TOO_LATE = timedelta(minutes=1), timedelta(minutes=10)
AUDIT_LATE, AUDIT_TOO_LATE = timedelta(minutes=5), timedelta(days=1)


def check_outbox(now: datetime) -> Finding:
    """What waits for a time of its own, such as Telegram's pauses, is not late."""
    due = OutboxMessage.objects.pending().filter(Q(not_before=None) | Q(not_before__lte=now))
    found = due.aggregate(number=Count("pk"), oldest=Min("created_at"))
    later = OutboxMessage.objects.pending().filter(not_before__gt=now).count()
    age = _age(found["oldest"], now)
    text = f"{found['number']:,} messages are due{_since(age)}, {later:,} wait for their time"
    advice = "See that worker and scheduler run and that Telegram answers; their logs say more."
    return _by_age(age, LATE, TOO_LATE, text, advice)


def check_messages(_now: datetime) -> Finding:
    found = OutboxMessage.objects.aggregate(
        failed=Count("pk", filter=Q(state=OutboxState.FAILED)),
        blocked=Count("pk", filter=Q(state=OutboxState.BLOCKED)),
    )
    text = (
        f"{found['failed']:,} failed for good, {found['blocked']:,} kept for who blocked the bot"
    )
    if found["failed"]:
        return warning(text, "Look at the failed messages in the back office.")
    return ok(text)


def check_cases(now: datetime) -> Finding:
    found = Case.objects.filter(closed_at=None).aggregate(
        number=Count("pk"), oldest=Min("opened_at")
    )
    if found["number"]:
        text = f"{found['number']:,} open{_since(_age(found['oldest'], now))}"
        return warning(text, "Somebody must look at them: Cases in the back office.")
    return ok("none is open")


def check_audit(now: datetime) -> Finding:
    found = AuditEntry.objects.filter(shipped_at=None).aggregate(
        number=Count("pk"), oldest=Min("at")
    )
    age = _age(found["oldest"], now)
    text = f"{found['number']:,} entries are not shipped yet{_since(age)}"
    advice = "See that the scheduler runs and that AUDIT_DATABASE_URL answers."
    return _by_age(age, AUDIT_LATE, AUDIT_TOO_LATE, text, advice)


def _by_age(
    age: timedelta, late: timedelta, too_late: timedelta, text: str, advice: str
) -> Finding:
    if age > too_late:
        return problem(text, advice)
    return warning(text, advice) if age > late else ok(text)


def _age(oldest: datetime | None, now: datetime) -> timedelta:
    return now - oldest if oldest else timedelta()


def _since(age: timedelta) -> str:
    seconds = max(int(age.total_seconds()), 0)
    return f" (the oldest for {timedelta(seconds=seconds)})" if seconds else ""
