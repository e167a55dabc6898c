"""An audit database from before the chain: its rows are chained, adopted, and guarded."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connections

from audit.models import AuditEntry, AuditHead
from audit.services import ship_audit
from audit.verification import verify_audit_trail
from tests.audit.steps import LATER, entries, entry, found, shipped

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "audit"])
COPY = """
INSERT INTO audit_auditentry (uuid, actor, action, target, before, after, source, at, shipped_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def migrate(alias: str, to: str = "") -> None:
    call_command("migrate", "audit", *([to] if to else []), database=alias, verbosity=0)


@pytest.fixture
def _before_the_chain(transactional_db: Any) -> Iterator[None]:
    migrate("audit", "0001")
    yield
    migrate("audit")


@pytest.mark.usefixtures("_before_the_chain")
def test_rows_shipped_before_the_chain_are_chained_and_adopted() -> None:
    written = entries(3)
    with connections["audit"].cursor() as cursor:
        for row in written:
            fields = (row.uuid, row.actor, row.action, row.target, '{"price": 1}', '{"price": 2}')
            cursor.execute(COPY, [*fields, row.source, row.at, LATER])
    AuditEntry.objects.update(shipped_at=LATER)
    migrate("audit")
    assert [row.position for row in shipped()] == [1, 2, 3]
    assert found() == [("no_head", None, None)]
    entry()
    assert [ship_audit(now=LATER) for _ in range(3)] == [3, 1, 0]
    assert AuditHead.objects.get().count == 4
    assert verify_audit_trail().is_whole
    assert [row.uuid for row in shipped()][:3] == [row.uuid for row in written]


@pytest.mark.parametrize("alias", ["default", "audit"])
def test_the_guard_goes_and_comes_with_its_migration(transactional_db: Any, alias: str) -> None:
    entry()
    ship_audit(now=LATER)
    change = AuditEntry.objects.using(alias).filter(action="change_price")
    migrate(alias, "0003")
    try:
        assert change.update(source="x") == 1
    finally:
        migrate(alias)
    with pytest.raises(IntegrityError, match="never changed"):
        change.update(source="y")
