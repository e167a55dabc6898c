"""Writes, ships, and tampers with, audit entries."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connections
from django.db.models import QuerySet

from audit.models import AuditEntry
from audit.services import record_audit, ship_audit
from audit.verification import verify_audit_trail

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


def entry(target: str = "product:1", **fields: Any) -> AuditEntry:
    given: dict[str, Any] = {
        "actor": "staff:7",
        "action": "change_price",
        "source": "admin",
        "now": NOW,
        "changes": ({"price": 1}, {"price": 2}),
    }
    return record_audit(target=target, **(given | fields))


def entries(count: int) -> list[AuditEntry]:
    return [entry(f"product:{number}") for number in range(1, count + 1)]


def shipped() -> "QuerySet[AuditEntry]":
    return AuditEntry.objects.using("audit").order_by("position")


def ship_all() -> int:
    total = 0
    while count := ship_audit(now=LATER):
        total += count
    return total


@contextmanager
def no_triggers(alias: str = "audit") -> Iterator[None]:
    """Do what only a superuser of the database can."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET session_replication_role = origin")


def found() -> list[tuple[str, int | None, int | None]]:
    """Return kind and positions of what the verification finds."""
    return [(each.kind.value, each.position, each.last) for each in verify_audit_trail().findings]


def uuids_found(kind: str) -> list[Any]:
    return [each.uuid for each in verify_audit_trail().findings if each.kind == kind]
