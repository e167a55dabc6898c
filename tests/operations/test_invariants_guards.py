"""I8 is seen by trying: each refusal that is gone is named, and the tries leave nothing behind."""

from collections.abc import Iterator

import pytest
from django.db import connection, connections

from accounts.models import LedgerEntry
from operations.invariants import broken_invariants, guards
from operations.invariants.guards import TRANSITIONS, append_only
from tests.unguarded import unguarded
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "audit"])
LEDGER = "accounts_ledgerentry of default"


@pytest.fixture
def world(committed_world: World) -> World:
    committed_world.customer(balance=5_000)
    return committed_world


@pytest.fixture
def disabled() -> Iterator[list[tuple[str, str]]]:
    """Triggers (table, name) that the test switches off; on again after it."""
    switched: list[tuple[str, str]] = []
    yield switched
    for table, name in switched:
        execute(f"ALTER TABLE {table} ENABLE TRIGGER {name}")


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_ledger_is_guarded(world: World) -> None:
    assert broken_invariants(world.now) == []


def test_each_change_that_goes_through_is_named_and_taken_back(world: World) -> None:
    before = list(LedgerEntry.objects.values())
    with unguarded():
        found = broken_invariants(world.now)
    assert found == [
        f"I8 {LEDGER}: {operation} is not refused"
        for operation in ("UPDATE", "DELETE", "TRUNCATE")
    ] + ["I8 audit_auditentry of default: TRUNCATE is not refused"]  # there is no row to try
    assert list(LedgerEntry.objects.values()) == before


def test_a_trigger_that_is_switched_off_is_named(
    world: World, disabled: list[tuple[str, str]]
) -> None:
    disabled.append(("accounts_ledgerentry", "ledger_no_truncate"))
    execute("ALTER TABLE accounts_ledgerentry DISABLE TRIGGER ledger_no_truncate")
    assert broken_invariants(world.now) == [
        f"I8 {LEDGER}: no trigger refuses TRUNCATE",
        f"I8 {LEDGER}: TRUNCATE is not refused",
    ]
    assert LedgerEntry.objects.count() == 1


def test_an_empty_table_is_judged_by_its_triggers(
    committed_world: World, disabled: list[tuple[str, str]]
) -> None:
    disabled.append(("accounts_ledgerentry", "ledger_append_only"))
    execute("ALTER TABLE accounts_ledgerentry DISABLE TRIGGER ledger_append_only")
    assert broken_invariants(committed_world.now) == [
        f"I8 {LEDGER}: no trigger refuses {operation}" for operation in ("UPDATE", "DELETE")
    ]


def test_a_busy_table_is_not_waited_for(world: World) -> None:
    other = connections.create_connection("default")
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM accounts_ledgerentry")
        assert broken_invariants(world.now) == []
    finally:
        other.rollback()
        other.close()


def test_a_table_of_the_audit_database_joins_by_a_line(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = "unguarded_table"
    with connections["audit"].cursor() as cursor:
        cursor.execute("CREATE TABLE unguarded_table (id int, word text)")
        cursor.execute("INSERT INTO unguarded_table VALUES (1, 'a'), (2, 'b')")
    try:
        guard = append_only(table, column="word", database="audit")
        monkeypatch.setattr(guards, "GUARDS", (*guards.GUARDS, guard))
        found = broken_invariants(world.now)
        with connections["audit"].cursor() as cursor:
            cursor.execute("SELECT count(*) FROM unguarded_table")
            assert cursor.fetchone() == (2,)
    finally:
        with connections["audit"].cursor() as cursor:
            cursor.execute("DROP TABLE unguarded_table")
    assert [line for line in found if "no trigger refuses" in line] == [
        f"I8 {table} of audit: no trigger refuses {each}"
        for each in ("UPDATE", "DELETE", "TRUNCATE")
    ]
    assert sum("is not refused" in line for line in found) == 3


@pytest.mark.parametrize("guard", TRANSITIONS, ids=[each.trigger for each in TRANSITIONS])
def test_a_transition_that_nobody_watches_is_named(
    committed_world: World, disabled: list[tuple[str, str]], guard: guards.Guard
) -> None:
    disabled.append((guard.table, guard.trigger))
    execute(f"ALTER TABLE {guard.table} DISABLE TRIGGER {guard.trigger}")
    assert broken_invariants(committed_world.now) == [
        f"I7 {guard.table} of default: the trigger {guard.trigger} is missing or off"
    ]
