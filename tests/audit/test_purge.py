"""What the main database lets go of the trail, and when."""

from datetime import timedelta

import pytest

from audit import services
from audit.models import AuditEntry
from audit.services import purge_audit
from core.models import StoreSettings
from tests.audit.steps import LATER, entries, entry, ship_all, shipped

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
A_MONTH = timedelta(days=30)


@pytest.fixture(autouse=True)
def _kept_for_a_month() -> None:
    StoreSettings.objects.create(pk=1, keep_audit_days=30)


@pytest.mark.parametrize(("moment", "count"), [(timedelta(0), 0), (timedelta(microseconds=1), 2)])
def test_what_was_shipped_long_ago_is_deleted(moment: timedelta, count: int) -> None:
    entries(2)
    ship_all()
    assert purge_audit(now=LATER + A_MONTH + moment) == count
    assert AuditEntry.objects.count() == 2 - count
    assert shipped().count() == 2


def test_what_was_not_shipped_stays_however_old() -> None:
    entry()
    assert purge_audit(now=LATER + 100 * A_MONTH) == 0
    assert AuditEntry.objects.count() == 1


def test_it_goes_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "PURGE_BATCH", 2)
    entries(3)
    ship_all()
    counts = [purge_audit(now=LATER + 2 * A_MONTH) for _ in range(3)]
    assert counts == [2, 1, 0]
