"""Writes audit entries with the change, ships them, and lets them go when they are old."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from audit.models import AuditEntry
from audit.personal import (
    Changes,
    Personal,
    Values,
    conceal,
    forget_audit_key,
    seal_values,
)
from audit.shipping import ship_audit
from core.models import store_settings

__all__ = [
    "Changes",
    "Personal",
    "Values",
    "conceal",
    "difference",
    "forget_audit_key",
    "purge_audit",
    "record_audit",
    "ship_audit",
]
PURGE_BATCH = 1_000


def record_audit(
    *,
    actor: str,
    action: str,
    target: str,
    source: str,
    now: datetime,
    changes: Changes = (None, None),
) -> AuditEntry:
    """Write who did what, in the caller's transaction.

    `changes` is (before, after). The row is for ever, so it says who by ids, and what is about a
    person is a Personal value (or `conceal`ed): kept under that person's key.
    """
    before, after = seal_values(changes, _plain)
    return AuditEntry.objects.create(
        actor=actor,
        action=action,
        target=target,
        before=before,
        after=after,
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


def purge_audit(*, now: datetime) -> int:
    """Delete a batch of what was shipped long ago (StoreSettings.keep_audit_days); say how many.

    The audit database keeps it for ever.
    """
    before = now - timedelta(days=store_settings().keep_audit_days)
    old = AuditEntry.objects.filter(shipped_at__lt=before).order_by("shipped_at", "pk")
    ids = list(old.values_list("pk", flat=True)[:PURGE_BATCH])
    deleted, _ = AuditEntry.objects.filter(pk__in=ids).delete()
    return deleted
