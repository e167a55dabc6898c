"""Writes audit entries with the change and ships them to the audit database."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from audit.models import AuditEntry

BATCH = 500

Values = dict[str, Any]
Changes = tuple[Values | None, Values | None]
"""Before and after; None: it was not there."""


def record_audit(
    *,
    actor: str,
    action: str,
    target: str,
    source: str,
    now: datetime,
    changes: Changes = (None, None),
) -> AuditEntry:
    """Write who did what, in the caller's transaction. `changes` is (before, after), ids only."""
    before, after = changes
    return AuditEntry.objects.create(
        actor=actor,
        action=action,
        target=target,
        before=_plain(before),
        after=_plain(after),
        source=source,
        at=now,
    )


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it: exact numbers and times as text."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return value.isoformat() if isinstance(value, datetime) else value


def difference(before: Values, after: Values) -> tuple[Values, Values]:
    """Return before and after of what differs; both are empty when nothing does."""
    changed = [name for name in after if before[name] != after[name]]
    return {name: before[name] for name in changed}, {name: after[name] for name in changed}


def ship_audit(*, now: datetime) -> int:
    """Copy unshipped entries to the audit database; return how many.

    Sent at least once, stored exactly once: the uuid is unique there.
    """
    with transaction.atomic():
        entries = list(
            AuditEntry.objects.filter(shipped_at=None)
            .order_by("pk")
            .select_for_update(skip_locked=True)[:BATCH]
        )
        copies = [_copy(entry, now) for entry in entries]
        AuditEntry.objects.using("audit").bulk_create(copies, ignore_conflicts=True)
        AuditEntry.objects.filter(pk__in=[entry.pk for entry in entries]).update(shipped_at=now)
    return len(entries)


def _copy(entry: AuditEntry, now: datetime) -> AuditEntry:
    fields = ("uuid", "actor", "action", "target", "before", "after", "source", "at")
    return AuditEntry(shipped_at=now, **{name: getattr(entry, name) for name in fields})
