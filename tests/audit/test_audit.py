"""Audit entries: written with the change, in the audit database exactly once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import QuerySet

from audit.models import AuditEntry
from audit.services import difference, record_audit, ship_audit

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


def entry(target: str = "product:1") -> AuditEntry:
    return record_audit(
        actor="staff:7",
        action="change_price",
        target=target,
        source="admin",
        now=NOW,
        changes=({"price": 1}, {"price": 2}),
    )


def shipped() -> "QuerySet[AuditEntry]":
    return AuditEntry.objects.using("audit").order_by("pk")


def test_an_entry_arrives_whole() -> None:
    written = entry()
    assert ship_audit(now=LATER) == 1
    copy = shipped().get()
    for name in ("uuid", "actor", "action", "target", "before", "after", "source", "at"):
        assert getattr(copy, name) == getattr(written, name), name
    assert copy.shipped_at == LATER
    written.refresh_from_db()
    assert written.shipped_at == LATER


def test_an_entry_that_was_shipped_is_not_shipped_again() -> None:
    entry()
    ship_audit(now=LATER)
    assert ship_audit(now=LATER) == 0
    assert shipped().count() == 1


def test_a_crash_between_the_copy_and_its_mark_ships_once(monkeypatch: pytest.MonkeyPatch) -> None:
    written = entry()
    create = QuerySet.bulk_create

    def create_and_die(self: Any, *args: Any, **options: Any) -> Any:
        create(self, *args, **options)
        raise KeyboardInterrupt  # stands for the end of the process

    with monkeypatch.context() as patch:
        patch.setattr(QuerySet, "bulk_create", create_and_die)
        with pytest.raises(KeyboardInterrupt):
            ship_audit(now=NOW)
    written.refresh_from_db()
    assert written.shipped_at is None
    assert shipped().count() == 1
    assert ship_audit(now=LATER) == 1
    assert shipped().get().shipped_at == NOW


def test_entries_arrive_in_order() -> None:
    targets = [f"product:{number}" for number in range(5)]
    for target in targets:
        entry(target)
    ship_audit(now=LATER)
    assert list(shipped().values_list("target", flat=True)) == targets


def test_a_change_that_is_rolled_back_leaves_no_entry() -> None:
    with transaction.atomic():
        entry()
        transaction.set_rollback(True)
    assert ship_audit(now=LATER) == 0
    assert not AuditEntry.objects.exists()


def test_a_difference_names_only_what_changed() -> None:
    before = {"name": "Sari", "price": 1, "is_active": True}
    assert difference(before, before | {"price": 2}) == ({"price": 1}, {"price": 2})
    assert difference(before, before) == ({}, {})
