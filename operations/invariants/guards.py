"""I8: the database itself refuses to change what must never change. Seen by trying."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connections, transaction

from accounts.models import LedgerEntry
from audit.models import AuditEntry
from catalog.models import StockItem
from operations.invariants.rules import Invariant, Violations
from orders.models import Order, VoucherUse
from payments.models import Payment

LOCK_TIMEOUT = "200ms"
"""TRUNCATE waits for readers and lets none pass meanwhile: a shop that sells must not feel it."""
EVENTS = {"UPDATE": 16, "DELETE": 8, "TRUNCATE": 32}
"""Bits of pg_trigger.tgtype (PostgreSQL, catalog/pg_trigger.h)."""
BUSY = {"55P03", "55006"}
"""SQLSTATE of a lock that was not to be had, and of a table this transaction still checks."""
REFUSED = {"P0001", "42501"}
"""SQLSTATE of an exception raised by a trigger, and of a missing privilege."""


@dataclass(frozen=True)
class Guard:
    """A table that the triggers of a database protect, and what must be refused there.

    `attempts` are pairs of an operation and the statement that tries it on one row.
    """

    table: str
    attempts: tuple[tuple[str, str], ...] = ()
    database: str = "default"
    trigger: str = ""
    """A trigger that must be there by name; empty: one for each operation tried."""


def append_only(table: str, *, column: str, database: str = "default") -> Guard:
    """Return the guard of a table that takes new rows and nothing else."""
    last = f"WHERE id = (SELECT max(id) FROM {table})"  # noqa: S608 (names of our tables)
    return Guard(
        table,
        (
            ("UPDATE", f"UPDATE {table} SET {column} = {column} {last}"),  # noqa: S608
            ("DELETE", f"DELETE FROM {table} {last}"),  # noqa: S608
            ("TRUNCATE", f"TRUNCATE {table}"),
        ),
        database,
    )


AUDIT = AuditEntry._meta.db_table


def _shipped_only() -> Guard:
    """The main database marks an entry shipped, once, and lets go what is shipped."""
    newest = f"SELECT max(id) FROM {AUDIT}"  # noqa: S608 (names of our tables)
    waiting = f"{newest} WHERE shipped_at IS NULL"
    return Guard(
        AUDIT,
        (
            ("UPDATE", f"UPDATE {AUDIT} SET actor = actor || 'x' WHERE id = ({newest})"),  # noqa: S608
            ("DELETE", f"DELETE FROM {AUDIT} WHERE id = ({waiting})"),  # noqa: S608
            ("TRUNCATE", f"TRUNCATE {AUDIT}"),
        ),
    )


GUARDS: tuple[Guard, ...] = (
    append_only(LedgerEntry._meta.db_table, column="reference"),
    append_only(AUDIT, column="actor", database="audit"),
    _shipped_only(),
)
"""What nothing may change."""
TRANSITIONS: tuple[Guard, ...] = (
    Guard(Order._meta.db_table, trigger="order_transition"),
    Guard(Order._meta.db_table, trigger="order_reopened"),
    Guard(Payment._meta.db_table, trigger="payment_transition"),
    Guard(StockItem._meta.db_table, trigger="stock_transition"),
    Guard(VoucherUse._meta.db_table, trigger="voucher_use_transition"),
)
"""States that move only as they may."""


def _find(_now: datetime) -> Violations:
    found = [line for guard in GUARDS for line in (*missing_triggers(guard), *_unrefused(guard))]
    return found, 0


def missing_triggers(guard: Guard) -> Iterator[str]:
    """Say which of the guard's triggers is not there, or is switched off."""
    enabled = _enabled_triggers(guard)
    if guard.trigger and guard.trigger not in {name for name, _ in enabled}:
        yield f"{guard.table} of {guard.database}: the trigger {guard.trigger} is missing or off"
    for operation, _statement in guard.attempts:
        if not any(kind & EVENTS[operation] for _, kind in enabled):
            yield f"{guard.table} of {guard.database}: no trigger refuses {operation}"


def _enabled_triggers(guard: Guard) -> list[tuple[str, int]]:
    with connections[guard.database].cursor() as cursor:
        cursor.execute(
            "SELECT tgname, tgtype FROM pg_trigger WHERE tgrelid = to_regclass(%s)"
            " AND NOT tgisinternal AND tgenabled IN ('O', 'A')",
            [guard.table],
        )
        return list(cursor.fetchall())


def _unrefused(guard: Guard) -> Iterator[str]:
    for operation, statement in guard.attempts:
        if _has_effect(guard.database, statement):
            yield f"{guard.table} of {guard.database}: {operation} is not refused"


def _has_effect(database: str, statement: str) -> bool:
    """Try a statement and take it back, whatever it did.

    False when it is refused, finds no row to try it on, or the table is busy.
    """
    try:
        with _taken_back(database) as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            cursor.execute(statement)
            return bool(cursor.rowcount)  # -1 after TRUNCATE
    except DatabaseError as error:
        state = getattr(error.__cause__, "sqlstate", None) or ""
        if state not in REFUSED | BUSY and not state.startswith("23"):
            raise
        return False


@contextmanager
def _taken_back(database: str) -> Iterator[Any]:
    with transaction.atomic(using=database), connections[database].cursor() as cursor:
        try:
            yield cursor
        finally:
            transaction.set_rollback(True, using=database)


UNCHANGEABLE = Invariant(
    "I8",
    "the database refuses to change the ledger and the audit trail",
    lambda: sum(len(guard.attempts) for guard in GUARDS),
    _find,
)
