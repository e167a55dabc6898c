"""A case is closed once, with a note, by somebody."""

from functools import partial
from typing import Any

import pytest
from django.db.models import QuerySet

from audit.models import AuditEntry
from audit.personal import open_changes
from payments.models import Case, CaseKind
from payments.services.cases import MOST_NOTE, CaseClosed, NoteRefused, close_case
from tests.concurrency import overlap, unlocked
from tests.world import World


def opened_case(world: World) -> Case:
    return Case.objects.create(kind=CaseKind.AMOUNT_DIFFERS, key="a:1", opened_at=world.now)


def closing(case: Case, world: World, note: str = "Paid back") -> Any:
    return partial(
        close_case,
        case_id=case.pk,
        resolution=note,
        actor="staff:1",
        source="admin",
        now=world.now,
    )


def test_closing_keeps_the_note_and_says_who_did_it(db: None, world: World) -> None:
    case = opened_case(world)
    closing(case, world, "  Paid back by hand  ")()
    case.refresh_from_db()
    assert (case.closed_at, case.resolution) == (world.now, "Paid back by hand")
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.target, entry.source, entry.at) == (
        "staff:1",
        "close_case",
        f"case:{case.pk}",
        "admin",
        world.now,
    )
    [(before, after)] = open_changes([entry])
    assert before == {"closed_at": None, "resolution": ""}
    assert after == {"closed_at": world.now.isoformat(), "resolution": "Paid back by hand"}


def test_what_is_closed_stays_as_it_is(db: None, world: World) -> None:
    case, first = opened_case(world), world.now
    closing(case, world, "Paid back")()
    world.later(hours=1)
    with pytest.raises(CaseClosed) as refused:
        closing(case, world, "Something else")()
    assert (refused.value.closed_at, refused.value.resolution) == (first, "Paid back")
    case.refresh_from_db()
    assert (case.closed_at, case.resolution) == (first, "Paid back")
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("note", ["", " \n ", "x" * (MOST_NOTE + 1)])
def test_a_note_is_needed_and_stays_readable(db: None, world: World, note: str) -> None:
    case = opened_case(world)
    with pytest.raises(NoteRefused):
        closing(case, world, note)()
    case.refresh_from_db()
    assert (case.closed_at, case.resolution) == (None, "")
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True, databases=["default", "audit"])
class TestTwoAtOnce:
    def test_the_second_is_told_and_changes_nothing(self, committed_world: World) -> None:
        case = opened_case(committed_world)
        first = closing(case, committed_world, "First")
        [result] = overlap(first, closing(case, committed_world, "Second"))
        assert isinstance(result, CaseClosed)
        case.refresh_from_db()
        assert case.resolution == "First"
        assert AuditEntry.objects.count() == 1

    def test_control_without_the_lock_both_would(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        case = opened_case(committed_world)
        monkeypatch.setattr(QuerySet, "select_for_update", unlocked)
        first = closing(case, committed_world, "First")
        [result] = overlap(first, closing(case, committed_world, "Second"))
        assert isinstance(result, Case)
        assert AuditEntry.objects.count() == 2
