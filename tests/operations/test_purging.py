"""Old gateway events are forgotten by the store's settings, rarely and in portions."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from core.models import StoreSettings
from operations import purging
from operations import sweep as sweeping
from operations.sweep import sweep
from payments.models import Case, CaseKind, GatewayEvent, StatusReport
from payments.services import retention
from payments.services.retention import purge_events
from tests.world import World

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def event(world: World, txn_id: str, *, handled: float | None, age: float = 200) -> GatewayEvent:
    """Make an event that came `age` days ago and was handled `handled` days ago."""
    days = timedelta(days=1)
    return GatewayEvent.objects.create(
        gateway="pakasir",
        txn_id=txn_id,
        order_id="x",
        status="completed",
        body={},
        received_at=world.now - age * days,
        handled_at=None if handled is None else world.now - handled * days,
    )


def left() -> list[str]:
    return sorted(GatewayEvent.objects.values_list("txn_id", flat=True))


def test_only_what_is_handled_and_old_enough_goes(world: World) -> None:
    StoreSettings.objects.create(pk=1, keep_events_days=30)
    event(world, "old", handled=30.01)
    event(world, "young", handled=29.99)
    event(world, "open", handled=None)
    assert purge_events(now=world.now) == 1
    assert left() == ["open", "young"]


def test_what_belongs_to_a_case_stays(world: World) -> None:
    for name, closed_at in (("open case", None), ("closed case", world.now)):
        Case.objects.create(
            kind=CaseKind.UNMATCHED_EVENT,
            key=name,
            event=event(world, name, handled=100),
            opened_at=world.now,
            closed_at=closed_at,
        )
    event(world, "no case", handled=100)
    assert purge_events(now=world.now) == 1
    assert left() == ["closed case", "open case"]


def test_reports_are_kept(world: World) -> None:
    past = world.now - timedelta(days=1000)
    StatusReport.objects.create(day=past.date(), started_at=past, finished_at=past)
    purge_events(now=world.now)
    assert StatusReport.objects.exists()


def test_the_sweep_goes_on_until_nothing_is_left_and_then_rests_an_hour(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(3):
        event(world, f"T{number}", handled=100)
    assert [sweep(now=world.now)["purges"] for _ in range(3)] == [2, 1, 0]
    event(world, "later", handled=100)
    assert sweep(now=world.later(minutes=59))["purges"] == 0
    assert sweep(now=world.later(minutes=1))["purges"] == 1


def test_one_that_fails_stops_no_other_and_rests_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[datetime] = []

    def broken(*, now: datetime) -> int:
        calls.append(now)
        raise ZeroDivisionError

    purges: Any = (broken, purge_events)
    monkeypatch.setattr(purging, "PURGES", purges)
    event(world, "old", handled=100)
    for _ in range(5):
        sweeping._purge(lambda: world.now)
    assert left() == []
    assert len(calls) == 2, "it came again only while the other had something to do"
