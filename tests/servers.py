"""Servers of their own for the tests, started before Django reads its settings.

Loaded by `-p tests.servers`. With DATABASE_URL unset, the first pytest process starts PostgreSQL
and Valkey in a private folder; pytest-xdist's workers inherit them, each with a Valkey database
and PostgreSQL databases of its own.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from quickcart import translations
from quickcart.local import servers

# They start script/server or a browser: one at a time, and not on both workers at once.
HEAVY = ("browser", "e2e", "faults")


@pytest.hookimpl(wrapper=True, tryfirst=True)  # a wrapper comes before pytest-django's own hook
def pytest_load_initial_conftests() -> Generator[None, None, None]:
    os.environ["QUICKCART_ENV_FILE"] = os.devnull  # never a real shop's settings
    if not os.environ.get("DATABASE_URL"):
        translations.compile_catalogs()
        _start_servers()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker:
        number = int(worker.removeprefix("gw")) + 1
        os.environ["REDIS_URL"] = _with_database(os.environ["REDIS_URL"], number)
    return (yield)


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(item.get_closest_marker(marker) for marker in HEAVY):
            item.add_marker(pytest.mark.xdist_group("heavy"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fail when pytest-xdist does not keep groups together, which it can forget in silence."""
    if not session.config.getoption("loadgroup", default=False):
        return
    for item in session.items:
        if item.get_closest_marker("xdist_group") and "@" not in item.nodeid:
            raise pytest.UsageError(f"pytest-xdist does not see the group of {item.nodeid}")


def _start_servers() -> None:
    folder = Path(tempfile.mkdtemp(prefix="quickcart-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(servers.stop, folder)
    addresses = servers.start(folder, fast=True, end_with_parent=True)
    os.environ |= {
        "DATABASE_URL": addresses.database,
        "AUDIT_DATABASE_URL": addresses.audit_database,
        "REDIS_URL": addresses.redis,
    }


def _with_database(url: str, number: int) -> str:
    """Return the Redis URL of another database of the same server."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts._replace(query=f"db={number}").geturl()
    return parts._replace(path=f"/{number}").geturl()
