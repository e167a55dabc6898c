from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction


def pretend_to_commit() -> Any:
    """Begin a transaction in which services may `commit` alone, as in Django's own test cases."""
    block = transaction.atomic()
    block._from_testcase = True
    return block


@pytest.fixture(scope="module")
def seeded(django_db_setup: Any, django_db_blocker: Any) -> Iterator[str]:
    """The demo store, made once for a module and rolled back after it; what the command said.

    Only for modules without transactional tests: their flush would run inside the transaction.
    """
    out = StringIO()
    with django_db_blocker.unblock(), pretend_to_commit():
        call_command("seed_demo", stdout=out)
        yield out.getvalue()
        transaction.set_rollback(True)
