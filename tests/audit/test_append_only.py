"""What each database refuses, whoever asks."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction

from audit.models import AuditEntry
from audit.services import ship_audit
from tests.audit.steps import LATER, NOW, entry

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def row(alias: str) -> dict[str, Any]:
    return AuditEntry.objects.using(alias).values().get()


def run(alias: str, sql: str) -> None:
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute(sql)


def setting(change: str) -> str:
    return f"UPDATE audit_auditentry SET {change}"  # noqa: S608 (the changes stand here)


def refused(alias: str, sql: str) -> None:
    before = row(alias)
    with pytest.raises(IntegrityError, match="audit entries are never changed"):
        run(alias, sql)
    assert row(alias) == before


CHANGES = [
    "uuid = gen_random_uuid()",
    "actor = 'staff:8'",
    "action = 'x'",
    "target = 'x'",
    "before = '{}'",
    "after = NULL",
    """after = '{"price": 2.0}'""",
    "source = 'x'",
    "at = now()",
    "position = 5",
    "previous_hash = 'x'",
    "hash = 'x'",
]


class TestMain:
    @pytest.mark.parametrize("change", [*CHANGES, "id = id + 1"])
    @pytest.mark.parametrize("marking", ["", ", shipped_at = now()"])
    def test_nothing_is_changed(self, change: str, marking: str) -> None:
        entry()
        refused("default", setting(change + marking))

    def test_a_row_is_marked_as_shipped_once(self) -> None:
        entry()
        refused("default", setting("shipped_at = NULL"))
        run("default", setting("shipped_at = now()"))
        for other in ("now() + interval '1 day'", "NULL", "shipped_at"):
            refused("default", setting(f"shipped_at = {other}"))

    def test_only_what_was_shipped_is_deleted(self) -> None:
        entry()
        refused("default", "DELETE FROM audit_auditentry")
        ship_audit(now=LATER)
        run("default", "DELETE FROM audit_auditentry")
        assert not AuditEntry.objects.exists()

    @pytest.mark.parametrize("ship", [lambda: None, lambda: ship_audit(now=LATER)])
    def test_it_is_not_truncated(self, ship: Callable[[], Any]) -> None:
        entry()
        ship()
        refused("default", "TRUNCATE audit_auditentry")


class TestAudit:
    @pytest.mark.parametrize(
        "sql",
        [
            *map(setting, CHANGES),
            setting("shipped_at = now()"),
            setting("shipped_at = NULL"),
            "DELETE FROM audit_auditentry",
            "TRUNCATE audit_auditentry",
        ],
    )
    def test_nothing_is_changed(self, sql: str) -> None:
        entry()
        ship_audit(now=LATER)
        refused("audit", sql)

    def test_not_even_a_first_mark(self) -> None:
        AuditEntry.objects.using("audit").create(actor="x", action="x", target="x", at=NOW)
        refused("audit", "UPDATE audit_auditentry SET shipped_at = now()")
