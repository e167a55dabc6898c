"""What must be true of every store at any time (I1 to I10 of the rules of money)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from operations.invariants.balances import BALANCES, REFUNDS
from operations.invariants.completions import COMPLETIONS
from operations.invariants.guards import UNCHANGEABLE
from operations.invariants.history import HISTORY
from operations.invariants.orders import DELIVERIES, HELD, VOUCHERS
from operations.invariants.rules import Invariant
from operations.invariants.stock import STOCK

INVARIANTS = (
    *STOCK,
    BALANCES,
    COMPLETIONS,
    DELIVERIES,
    VOUCHERS,
    HISTORY,
    UNCHANGEABLE,
    HELD,
    REFUNDS,
)


@dataclass(frozen=True)
class Checked:
    """What came out for one invariant; `more` violations are not named."""

    name: str
    title: str
    checked: int
    violations: tuple[str, ...]
    more: int


def check_invariants(*, now: datetime) -> list[Checked]:
    """Check all of them, in order of their numbers, over one moment of the database.

    I8 tries changes and takes them back; it does so before and apart, as a snapshot would keep
    the locks of what it read.
    """
    tried = _check(UNCHANGEABLE, now)
    with _one_moment():
        return [tried if each is UNCHANGEABLE else _check(each, now) for each in INVARIANTS]


def broken_invariants(now: datetime) -> list[str]:
    """Return one line per violation, each beginning with the invariant's name."""
    found: list[str] = []
    for each in check_invariants(now=now):
        found += [f"{each.name} {line}" for line in each.violations]
        found += [f"{each.name} and {each.more} more"] if each.more else []
    return found


def _check(invariant: Invariant, now: datetime) -> Checked:
    violations, more = invariant.find(now)
    return Checked(invariant.name, invariant.title, invariant.count(), tuple(violations), more)


@contextmanager
def _one_moment() -> Iterator[None]:
    """Let every query see the same moment: a sale in between must not look like a loss.

    Inside somebody's transaction (a test's) the level is theirs.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # A store that was just restored has no statistics: the planner would loop over all rows.
        cursor.execute("SET LOCAL enable_nestloop = off")
        yield
