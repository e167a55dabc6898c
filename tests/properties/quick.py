"""The invariants' own queries, asked as one: is anything broken? For a look after every step.

Django takes longer to write these queries than PostgreSQL to answer them, so they are written once
and prepared; only the time in them moves. When the answer is yes, or at the end of a run, the
invariants themselves are asked.
"""

from collections.abc import Iterator
from datetime import datetime

from django.db import DatabaseError, connection, transaction
from psycopg import sql

from operations.invariants import INVARIANTS
from operations.invariants.history import HISTORY, past
from operations.invariants.rules import ByRules, Rule

NAME = "anything_broken"


class QuickLook:
    def __init__(self, now: datetime) -> None:
        """Prepare for this shop; its settings must stay as they are."""
        queries = [f"EXISTS ({self._written(rule, now)})" for rule in _rules(now)]
        self._run(f"DEALLOCATE ALL; PREPARE {NAME} (timestamptz) AS SELECT {' OR '.join(queries)}")

    def finds_something(self, now: datetime) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(f"EXECUTE {NAME} ('{now.isoformat()}')")
            return bool(cursor.fetchone()[0]) or _ledger_can_be_changed()

    @staticmethod
    def _run(statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    @staticmethod
    def _written(rule: Rule, now: datetime) -> str:
        """Write a query with its values in it, and each time in it as so long after `$1`."""
        text, values = rule.broken[:1].query.sql_with_params()
        written = [_literal(value, now) for value in values]
        return str(text % tuple(written))


def _rules(now: datetime) -> Iterator[Rule]:
    finders = [each.find for each in INVARIANTS if isinstance(each.find, ByRules)]
    assert HISTORY in INVARIANTS
    for find in [*finders, ByRules(past)]:
        yield from find.rules(now)


def _literal(value: object, now: datetime) -> str:
    if isinstance(value, datetime):
        return f"($1 + interval '{(value - now).total_seconds()} seconds')"
    return sql.Literal(value).as_string(connection.connection)


def _ledger_can_be_changed() -> bool:
    """I8 after every step; the whole of it is tried at the end of a run."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE accounts_ledgerentry SET reference = reference")
    except DatabaseError:
        return False
    return True
