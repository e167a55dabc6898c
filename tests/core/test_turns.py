"""Turns in the database: one taker at a time, whatever process it is in."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.models import SendingTurn, SendingTurnQuerySet
from core.turns import UNUSED, take_turn
from tests.concurrency import overlap, unlocked

NOW = timezone.now()
SECOND = timedelta(seconds=1)


def take(*names: str, after: float = 0) -> float:
    turns = dict.fromkeys(names or ("all",), SECOND)
    return take_turn(turns=turns, now=NOW + timedelta(seconds=after)).total_seconds()


@pytest.mark.django_db
def test_the_first_taker_waits_for_what_nobody_remembers() -> None:
    assert [take(), take(after=1), take(after=1)] == [1, 0, 1]


@pytest.mark.django_db
def test_after_a_pause_nobody_knows_what_was_sent_another_way() -> None:
    take()
    unused = UNUSED.total_seconds() + 2
    assert [take(after=unused), take(after=unused + 1)] == [1, 0]


@pytest.mark.django_db
def test_all_turns_are_taken_or_none() -> None:
    take("all", "5")
    take("5", after=1)
    assert take("all", "5", after=1) == 1
    assert take("all", after=1) == 0


@pytest.mark.django_db(transaction=True)
class TestTogether:
    @pytest.fixture(autouse=True)
    def free(self, transactional_db: None) -> None:
        SendingTurn.objects.create(name="all", free_at=NOW)

    def test_one_of_two_takes_it(self) -> None:
        taken: list[float] = []
        (second,) = overlap(lambda: taken.append(take()), take)
        assert (taken, second) == ([0], 1)

    def test_control_without_the_lock_both_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(SendingTurnQuerySet, "lock", unlocked)
        taken: list[float] = []
        (second,) = overlap(lambda: taken.append(take()), take)
        assert (taken, second) == ([0], 0)
