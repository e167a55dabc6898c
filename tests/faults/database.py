"""The running shop's database, seen from outside: exact moments and what became of orders.

A moment is made, not waited for by luck: we hold a row that a process will need, and know from
PostgreSQL itself when its backend waits for us.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg

from quickcart import embedded
from tests.e2e.shop import Shop, wait_for


@dataclass(frozen=True)
class Waiter:
    """A backend that waits for a lock of ours."""

    pid: int
    query: str


@dataclass(frozen=True)
class Database:
    shop: Shop

    def rows(
        self, query: str, values: Sequence[Any] | Mapping[str, Any] = ()
    ) -> list[tuple[Any, ...]]:
        """Ask on a connection of its own: the server may have been started again meanwhile."""
        with self._connect(autocommit=True) as connection:
            found = connection.execute(query, values)
            return found.fetchall() if found.description else []

    def count(self, query: str, **values: Any) -> int:
        found: int = self.rows(query, values)[0][0]
        return found

    @contextmanager
    def holding(self, query: str, values: Sequence[Any]) -> Iterator["Hold"]:
        """Keep the row locks this query takes until the end of the block."""
        connection = self._connect(autocommit=False)
        try:
            assert connection.execute(query, values).fetchall(), "there is nothing to hold"
            yield Hold(self, connection.info.backend_pid)
        finally:
            with suppress(psycopg.OperationalError):  # the server was killed
                connection.rollback()
            connection.close()

    def terminate(self, waiter: "Waiter") -> int:
        """Cut one connection; return how many that were."""
        return len(self.rows("SELECT 1 WHERE pg_terminate_backend(%s)", [waiter.pid]))

    def terminate_all(self, *, but: "Hold") -> int:
        """Cut every connection but ours; return how many that were."""
        return len(
            self.rows(
                "WITH others AS MATERIALIZED (SELECT pid FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid NOT IN (%s, pg_backend_pid()))"
                " SELECT 1 FROM others WHERE pg_terminate_backend(pid)",
                [but.pid],
            )
        )

    def let_leases_end(self) -> None:
        """Travel the minute after which others may send what a dead process had taken."""
        self.rows(
            "UPDATE core_outboxmessage SET leased_until = now() WHERE leased_until IS NOT NULL"
        )

    def _connect(self, *, autocommit: bool) -> psycopg.Connection:
        url = embedded.urls(self.shop.data_dir).database
        return psycopg.connect(url, autocommit=autocommit)


@dataclass(frozen=True)
class Hold:
    """Rows that are ours for the moment."""

    database: Database
    pid: int

    def wait_for_waiter(self) -> Waiter:
        """Wait until somebody waits for us, inside whatever transaction they are in."""
        found = wait_for("a backend waits for our lock", self._waiters)
        return Waiter(*found[0])

    def _waiters(self) -> list[tuple[Any, ...]]:
        return self.database.rows(
            "SELECT pid, query FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))",
            [self.pid],
        )
