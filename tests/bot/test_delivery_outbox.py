"""The outbox on its way to Telegram: in order, at least once, goods never twice."""

from datetime import timedelta

import pytest
from telegram.error import NetworkError, TimedOut

from core.models import OutboxMessage, OutboxPriority, OutboxState
from telegram_bot import outcomes
from telegram_bot.delivery import LEASE, DeliveryReport
from telegram_bot.qr import qr_png
from telegram_bot.screens import Button, Document, Photo, Screen
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
    assert deliver() == DeliveryReport(postponed=1)
    OutboxMessage.objects.update(attempts=outcomes.MOST_ATTEMPTS - 1)
    assert deliver(hours=1) == DeliveryReport(failed=1)
    row.refresh_from_db()
    assert "ZeroDivisionError" in row.error


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
