"""Rows as no service could leave them: the database's triggers are off for a moment."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections


@contextmanager
def unguarded(*, using: str = "default") -> Iterator[None]:
    with connections[using].cursor() as cursor:
        # What is deferred belongs to before: it is checked while triggers still see it.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET session_replication_role = origin")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
