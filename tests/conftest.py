"""What every test needs: a clean cache, triggers that let the flush pass, a world to shop in."""

import gc
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connections
from django.test import TransactionTestCase

from tests.bank import Bank, connect_in_process
from tests.properties.summary import pytest_terminal_summary
from tests.world import World

__all__ = ["pytest_terminal_summary"]

# The same examples every time, and none remembered: what passed once must not fail by chance.
hypothesis.settings.register_profile("same", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile("same")

_flush = TransactionTestCase._fixture_teardown


def _flush_without_triggers(self: TransactionTestCase) -> None:
    # The ledger refuses TRUNCATE; only the flush between tests may pass, on its own connection.
    aliases = sorted(self.databases)
    for alias in aliases:
        with connections[alias].cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
    try:
        _flush(self)
    finally:
        for alias in aliases:
            with connections[alias].cursor() as cursor:
                cursor.execute("SET session_replication_role = origin")


@pytest.fixture(autouse=True, scope="session")
def _flushable_database() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_teardown", _flush_without_triggers)
    yield
    patch.undo()


@pytest.fixture
def bank(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Bank:
    """The gateway's stand-in, reached in process in both directions."""
    return connect_in_process(monkeypatch, settings)


@pytest.fixture
def world(db: Any) -> World:
    return World()


@pytest.fixture
def committed_world(transactional_db: Any) -> World:
    """A world whose rows other threads and connections see."""
    return World()


@pytest.fixture(autouse=True)
def _clean_cache() -> Iterator[None]:
    yield
    cache.clear()


# What makes passwords slow to guess makes every test that creates an account slow, too.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_collection_finish() -> None:
    """Collect garbage rarely: what was imported stays, and is not worth another look."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.hookimpl(tryfirst=True)  # before pytest-django orders the tests by their markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let every test that uses the database use the audit trail's as well: I8 is about both."""
    for item in items:
        marker = item.get_closest_marker("django_db")
        uses_db = {"db", "transactional_db", "world"} & set(getattr(item, "fixturenames", ()))
        if not (marker or uses_db) or (marker and "databases" in marker.kwargs):
            continue
        options = {**(marker.kwargs if marker else {}), "databases": ["default", "audit"]}
        item.add_marker(pytest.mark.django_db(**options), append=False)
