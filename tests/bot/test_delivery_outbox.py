"""The outbox on its way to Telegram: in order, at least once, goods never twice."""

from datetime import datetime, timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from telegram.error import NetworkError, TimedOut

from core.models import OutboxMessage, OutboxPriority, OutboxState
from telegram_bot import delivery, outcomes
from telegram_bot.delivery import LEASE, DeliveryReport, deliver_outbox
from telegram_bot.messages import OutgoingMessage
from telegram_bot.outcomes import MOST_OWN_ERRORS, OWN_ERRORS
from telegram_bot.outgoing import Delivery
from telegram_bot.qr import qr_png
from telegram_bot.screens import Button, Document, Photo, Screen
from telegram_bot.sender import Progress
from tests.bot.harness import Chat
from tests.bot.post import NOW, Post, deliver, known


def test_a_message_is_sent_once_and_followed_up(post: Post, sari: Chat) -> None:
    row = post.write(sari, "Hello")
    assert deliver() == DeliveryReport(sent=1)
    assert deliver() == DeliveryReport()
    assert sari.texts == ["Hello"]
    row.refresh_from_db()
    assert (row.state, row.sent_at, row.attempts) == (OutboxState.SENT, NOW, 1)
    assert row.telegram_message_id == sari.last.id
    assert post.followed == [(sari.id, sari.last.id, NOW)]


def test_messages_of_a_chat_arrive_in_order_and_orders_first(post: Post, sari: Chat) -> None:
    post.write(sari, "news", priority=OutboxPriority.BROADCAST)
    for text in ("one", "two", "three"):
        post.write(sari, text)
    deliver()
    assert sari.texts == ["one", "two", "three", "news"]


def test_a_message_of_no_more_use_is_dropped(post: Post, sari: Chat) -> None:
    row = post.write(sari, "nothing")
    assert deliver() == DeliveryReport(dropped=1)
    row.refresh_from_db()
    assert row.state == OutboxState.DROPPED
    assert sari.messages == []


def test_the_chat_that_must_wait_stops_no_other(post: Post, sari: Chat) -> None:
    budi = known(post.bot, "Budi")
    post.bot.fault("sendMessage", chat_id=sari.id, error_code=429, retry_after=30)
    for text in ("one", "two"):
        post.write(sari, text)
        post.write(budi, text)
    assert deliver() == DeliveryReport(sent=2, postponed=1)
    assert (sari.texts, budi.texts) == ([], ["one", "two"])
    assert deliver(seconds=29) == DeliveryReport()
    assert deliver(seconds=30) == DeliveryReport(sent=2)
    assert sari.texts == ["one", "two"]


def test_a_recipient_who_blocked_the_bot_is_marked_and_not_retried(post: Post, sari: Chat) -> None:
    sari.block()
    row = post.write(sari, "Hello")
    assert deliver() == DeliveryReport(blocked=1)
    assert deliver(hours=1) == DeliveryReport()
    row.refresh_from_db()
    assert row.state == OutboxState.BLOCKED
    assert sari.customer.blocked_bot_at is not None


def test_what_telegram_refuses_for_good_is_parked_with_its_error(post: Post, sari: Chat) -> None:
    row = post.write(sari, "<b>never closed")
    post.write(sari, "next")
    assert deliver() == DeliveryReport(sent=1, failed=1)
    row.refresh_from_db()
    assert row.state == OutboxState.FAILED
    assert "BadRequest" in row.error
    assert sari.texts == ["next"]


@pytest.mark.parametrize("error", [TimedOut(), NetworkError("httpx.ConnectError")])
def test_what_did_not_get_through_is_sent_again(
    post: Post, sari: Chat, error: NetworkError
) -> None:
    post.bot.request.break_next("sendMessage", error, times=2)
    row = post.write(sari, "Hello")
    assert deliver() == DeliveryReport(postponed=1)
    assert deliver(seconds=1) == DeliveryReport()
    assert deliver(seconds=2) == DeliveryReport(postponed=1)
    assert deliver(seconds=6) == DeliveryReport(sent=1)
    row.refresh_from_db()
    assert (row.attempts, row.error) == (3, "")


def test_a_server_error_of_telegram_has_no_limit_of_attempts(post: Post, sari: Chat) -> None:
    row = post.write(sari, "Hello")
    OutboxMessage.objects.update(attempts=5000)
    post.bot.fault("sendMessage", error_code=502)
    assert deliver() == DeliveryReport(postponed=1)
    row.refresh_from_db()
    assert row.not_before == NOW + timedelta(minutes=5)


def test_a_row_that_breaks_its_renderer_is_retried_and_then_parked(post: Post, sari: Chat) -> None:
    row = post.write(sari, "broken")
    for attempt in range(1, MOST_OWN_ERRORS):
        assert deliver(hours=attempt) == DeliveryReport(postponed=1)
    assert deliver(hours=MOST_OWN_ERRORS) == DeliveryReport(failed=1)
    row.refresh_from_db()
    assert (row.state, row.attempts) == (OutboxState.FAILED, MOST_OWN_ERRORS)
    assert "ZeroDivisionError" in row.error


def test_what_telegram_is_to_blame_for_does_not_count_as_our_error(post: Post, sari: Chat) -> None:
    row = post.write(sari, "broken")
    OutboxMessage.objects.update(attempts=500)  # Telegram was away for a day
    assert deliver() == DeliveryReport(postponed=1)
    row.refresh_from_db()
    assert (row.state, row.references[OWN_ERRORS]) == (OutboxState.PENDING, 1)


def test_trouble_of_the_database_passes_and_is_never_the_end(
    post: Post, sari: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deadlocked(*_: object) -> None:
        raise OperationalError("deadlock detected")

    row = post.write(sari, "Hello")
    with monkeypatch.context() as patch:
        patch.setattr(delivery, "render_message", deadlocked)
        for attempt in range(MOST_OWN_ERRORS + 1):
            assert deliver(hours=attempt) == DeliveryReport(postponed=1)
    assert deliver(days=1) == DeliveryReport(sent=1)
    row.refresh_from_db()
    assert OWN_ERRORS not in row.references


def test_one_broken_row_does_not_stop_the_others(post: Post, sari: Chat) -> None:
    budi = known(post.bot, "Budi")
    post.write(sari, "broken")
    post.write(budi, "Hello")
    assert deliver() == DeliveryReport(sent=1, postponed=1)
    assert budi.texts == ["Hello"]


def test_parts_that_arrived_are_not_sent_again(post: Post, sari: Chat) -> None:
    documents = (Document("a.txt", b"first"), Document("b.txt", b"second"))
    post.screens["goods"] = Screen("Your goods", documents=documents)
    post.write(sari, "goods")
    post.bot.fault("sendDocument", error_code=502)
    assert deliver() == DeliveryReport(postponed=1)
    assert sari.texts == ["Your goods"]
    assert deliver(minutes=1) == DeliveryReport(sent=1)
    assert [message.file_name for message in sari.messages] == ["", "a.txt", "b.txt"]
    assert post.followed == [(sari.id, sari.messages[0].id, NOW + timedelta(minutes=1))]


def test_a_second_document_that_failed_goes_on_there(post: Post, sari: Chat) -> None:
    documents = (Document("a.txt", b"first"), Document("b.txt", b"second"))
    post.screens["goods"] = Screen("Your goods", documents=documents)
    row = post.write(sari, "goods")
    OutboxMessage.objects.update(references={"text": "goods", outcomes.SENT_PARTS: 2})
    row.refresh_from_db()
    assert deliver() == DeliveryReport(sent=1)
    assert [message.file_name for message in sari.messages] == ["b.txt"]


def test_a_crash_before_recording_sends_again_after_the_lease(post: Post, sari: Chat) -> None:
    post.write(sari, "Hello")
    OutboxMessage.objects.claim(now=NOW, limit=1, lease=LEASE)
    assert deliver(seconds=60) == DeliveryReport()
    assert deliver(seconds=61) == DeliveryReport(sent=1)


def test_who_lost_the_lease_changes_nothing_any_more(post: Post, sari: Chat) -> None:
    row = post.write(sari, "Hello")
    (slow,) = OutboxMessage.objects.claim(now=NOW, limit=1, lease=LEASE)
    later = NOW + LEASE + timedelta(seconds=1)
    OutboxMessage.objects.claim(now=later, limit=1, lease=LEASE)
    for record in (outcomes.postpone, outcomes.fail):
        record(Delivery(slow, progress=Progress(1, 99)), TimedOut(), later)
    row.refresh_from_db()
    assert (row.state, row.leased_until, row.not_before) == (
        OutboxState.PENDING,
        later + LEASE,
        None,
    )
    assert (row.references, row.telegram_message_id) == ({"text": "Hello"}, None)
    assert deliver(seconds=100) == DeliveryReport()


def test_a_lease_counts_from_when_the_row_is_taken_up(
    post: Post, sari: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter(NOW + timedelta(minutes=minute) for minute in range(100))
    monkeypatch.setattr(timezone, "now", lambda: next(times))
    leases: list[datetime] = []
    first, second = (post.write(sari, text) for text in ("one", "two"))

    def render(row: OutboxMessage, customer: object) -> OutgoingMessage | None:
        assert row.leased_until is not None
        leases.append(row.leased_until)
        return post.render(row, customer)

    monkeypatch.setattr(delivery, "render_message", render)
    assert deliver_outbox() == DeliveryReport(sent=2)
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.sent_at is not None
    assert second.sent_at is not None
    assert leases[0] < first.sent_at + LEASE < leases[1] < second.sent_at + LEASE


def test_an_outcome_that_cannot_be_written_leaves_the_others_written(
    post: Post, sari: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    budi = known(post.bot, "Budi")
    first, second = post.write(sari, "Hello"), post.write(budi, "Hello")

    def record(each: Delivery, now: datetime) -> str:
        if each.row.pk == first.pk:
            raise OperationalError("deadlock detected")
        return outcomes.record_outcome(each, now)

    monkeypatch.setattr(delivery, "record_outcome", record)
    assert deliver() == DeliveryReport(sent=1)
    second.refresh_from_db()
    assert second.state == OutboxState.SENT


def test_a_follow_up_that_fails_never_sends_goods_twice(post: Post, sari: Chat) -> None:
    def broken(*call: object) -> None:
        raise ZeroDivisionError

    post.after_sent = broken
    row = post.write(sari, "goods")
    assert deliver() == DeliveryReport(sent=1)
    assert deliver(hours=1) == DeliveryReport()
    row.refresh_from_db()
    assert row.state == OutboxState.SENT


def test_follow_up_and_mark_are_one_step(post: Post, sari: Chat) -> None:
    def dies(*call: object) -> None:
        raise KeyboardInterrupt  # stands for the end of the process

    post.after_sent = dies
    row = post.write(sari, "goods")
    with pytest.raises(KeyboardInterrupt):
        deliver()
    row.refresh_from_db()
    assert row.state == OutboxState.PENDING
    post.after_sent = None
    assert deliver(seconds=61) == DeliveryReport(sent=1)


def test_old_messages_are_taken_away_first(post: Post, sari: Chat) -> None:
    post.write(sari, "QR")
    deliver()
    post.delete = ((sari.id, sari.last.id), (sari.id, 99_999))
    post.write(sari, "Paid")
    assert deliver() == DeliveryReport(sent=1)
    assert sari.texts == ["Paid"]


def test_a_message_that_only_takes_away_others(post: Post, sari: Chat) -> None:
    post.write(sari, "QR")
    deliver()
    post.delete = ((sari.id, sari.last.id),)
    post.screens["cancelled"] = Screen("")
    post.write(sari, "cancelled")
    assert deliver() == DeliveryReport(sent=1)
    assert sari.messages == []


def test_a_photo_with_buttons(post: Post, sari: Chat) -> None:
    button = ((Button("Status", "/order/1/status"),),)
    post.screens["QR"] = Screen("Scan", photo=Photo(qr_png("00020101")), buttons=button)
    post.write(sari, "QR")
    deliver()
    assert sari.last.photo
    assert sari.last.labels == ["Status"]
