"""What is done with is purged by the store's settings; what waits or failed never is."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.models import OutboxMessage, OutboxPriority, OutboxState, SendingTurn, StoreSettings
from core.outbox import purge_messages
from telegram_bot.models import ProcessedUpdate
from telegram_bot.processed import purge_updates

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture(autouse=True)
def _kept_for_three_days() -> None:
    StoreSettings.objects.create(pk=1, keep_messages_days=3, keep_updates_days=3)


def write(state: str, *, written: float, sent: float | None = None) -> OutboxMessage:
    """A row written, and sent, so many days ago."""
    return OutboxMessage.objects.create(
        recipient=1,
        kind="test",
        priority=OutboxPriority.ORDER,
        dedupe_key=f"{state}:{written}:{sent}",
        state=state,
        created_at=NOW - timedelta(days=written),
        sent_at=None if sent is None else NOW - timedelta(days=sent),
    )


def left() -> set[str]:
    return set(OutboxMessage.objects.values_list("dedupe_key", flat=True))


@pytest.mark.parametrize("state", [OutboxState.SENT, OutboxState.DROPPED])
def test_old_messages_that_are_done_with_go(state: str) -> None:
    write(state, written=4, sent=3.1)
    write(state, written=4)
    kept = [write(state, written=4, sent=2.9), write(state, written=2.9)]
    assert purge_messages(now=NOW) == 2
    assert left() == {row.dedupe_key for row in kept}


@pytest.mark.parametrize("state", [OutboxState.PENDING, OutboxState.FAILED, OutboxState.BLOCKED])
def test_whatever_is_not_done_with_stays_for_ever(state: str) -> None:
    row = write(state, written=4000)
    assert purge_messages(now=NOW) == 0
    assert left() == {row.dedupe_key}


def test_a_batch_takes_the_oldest_and_no_more_than_it_may() -> None:
    for days in (5, 6, 7):
        write(OutboxState.SENT, written=days, sent=days)
    assert purge_messages(now=NOW, limit=2) == 2
    assert left() == {"sent:5:5"}
    assert purge_messages(now=NOW, limit=2) == 1
    assert purge_messages(now=NOW, limit=2) == 0


def test_turns_of_an_outage_that_is_over_go() -> None:
    for name, minutes in (("1", 61), ("2", 59)):
        SendingTurn.objects.create(name=name, free_at=NOW - timedelta(minutes=minutes))
    purge_messages(now=NOW)
    assert [turn.name for turn in SendingTurn.objects.all()] == ["2"]


def test_updates_are_forgotten_oldest_first_and_in_batches() -> None:
    for update_id, days in enumerate((7, 6, 5, 2, 1)):
        leased_until = NOW - timedelta(days=days)
        ProcessedUpdate.objects.create(bot_id=1, update_id=update_id, leased_until=leased_until)
    assert purge_updates(now=NOW, limit=2) == 2
    assert purge_updates(now=NOW, limit=2) == 1
    assert purge_updates(now=NOW, limit=2) == 0
    kept = ProcessedUpdate.objects.order_by("pk").values_list("update_id", flat=True)
    assert list(kept) == [3, 4]
