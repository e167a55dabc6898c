"""The outbox on its way to Telegram: in order, at least once, goods never twice."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from telegram.error import NetworkError, TimedOut

from accounts.models import StaffChat
from core.models import OutboxMessage, OutboxPriority, OutboxState
from core.outbox import STAFF, enqueue_message
from telegram_bot import delivery, outcomes
from telegram_bot.delivery import LEASE, DeliveryReport, deliver_outbox
from telegram_bot.messages import OutgoingMessage
from telegram_bot.qr import qr_png
from telegram_bot.screens import Button, Document, Photo, Screen
from tests.bot.conftest import BotWith
from tests.bot.harness import BotHarness, Chat

NOW = timezone.now()


class Post:
    """Writes rows of kind "test" that say what their references say."""

    def __init__(self, bot: BotHarness) -> None:
        self.bot = bot
        self.screens: dict[str, Screen] = {}
        self.delete: tuple[tuple[int, int], ...] = ()
        self.followed: list[tuple[int, int, datetime]] = []
        self.after_sent: Any = lambda *call: self.followed.append(call)

    def render(self, row: OutboxMessage, customer: Any) -> OutgoingMessage | None:
        text = str(row.references["text"])
        if text == "nothing":
            return None
        if text == "broken":
            raise ZeroDivisionError("the bug")
        screen = self.screens.get(text, Screen(text))
        return OutgoingMessage(screen, self.delete, self.after_sent)

    def write(self, chat: Chat | None, text: str, **fields: Any) -> OutboxMessage:
        recipient = STAFF if chat is None else chat.id
        kind = fields.pop("kind", "test")
        key = f"{text}:{recipient}"
        references: dict[str, int | str] = {"text": text}
        enqueue_message(
            recipient=recipient, kind=kind, references=references, dedupe_key=key, **fields
        )
        return OutboxMessage.objects.get(dedupe_key=key)


def known(bot: BotHarness, name: str = "Sari", **profile: Any) -> Chat:
    chat = bot.person(name, **profile)
    chat.send("/start")
    return chat


@pytest.fixture
def post(bot_with: BotWith, monkeypatch: pytest.MonkeyPatch) -> Post:
    made = Post(bot_with(lambda request: None))
    monkeypatch.setattr(delivery, "render_message", made.render)
    return made


@pytest.fixture
def sari(post: Post) -> Chat:
    return known(post.bot)


def deliver(**after: float) -> DeliveryReport:
    return deliver_outbox(now=NOW + timedelta(**after))


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


# --- staff ---------------------------------------------------------------------------------------


@pytest.fixture
def rina(post: Post) -> Chat:
    chat = known(post.bot, "Rina")
    type(chat.customer).objects.filter(pk=chat.user_id).update(is_admin=True)
    return chat


def test_staff_rows_reach_every_admin_and_group_once(post: Post, sari: Chat, rina: Chat) -> None:
    group = post.bot.staff_group(rina)
    row = post.write(None, "New order")
    assert deliver() == DeliveryReport(sent=2)
    assert deliver() == DeliveryReport()
    assert (sari.texts, rina.texts, group.texts) == ([], ["New order"], ["New order"])
    row.refresh_from_db()
    assert row.state == OutboxState.SENT
    keys = set(OutboxMessage.objects.exclude(pk=row.pk).values_list("dedupe_key", flat=True))
    assert keys == {f"{row.dedupe_key}:{rina.id}", f"{row.dedupe_key}:{group.id}"}


def test_groups_hear_what_they_want_to(post: Post, rina: Chat) -> None:
    group = post.bot.staff_group(rina)
    StaffChat.objects.update(hears_problems=False)
    post.write(None, "A case", kind="staff_case")
    post.write(None, "New order")
    deliver()
    assert rina.texts == ["A case", "New order"]
    assert group.texts == ["New order"]


def test_a_store_without_staff_chats_loses_nothing_to_a_retry(post: Post) -> None:
    row = post.write(None, "New order")
    assert deliver() == DeliveryReport()
    row.refresh_from_db()
    assert row.state == OutboxState.DROPPED


def test_a_group_that_became_a_supergroup_gets_its_messages(post: Post, rina: Chat) -> None:
    group = post.bot.staff_group(rina)
    moved = post.bot.driver.post(f"/sandbox/api/chats/{group.id}/migrate/")["id"]
    post.bot.pump()
    post.write(group, "one")
    post.write(group, "two")
    assert deliver() == DeliveryReport(sent=2)
    assert StaffChat.objects.get().chat_id == moved
    assert Chat(post.bot, moved, rina.user_id).texts[-2:] == ["one", "two"]
