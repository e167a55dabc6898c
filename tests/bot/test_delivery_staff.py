"""Messages to staff: one row becomes one for every admin and every group that listens."""

import pytest

from accounts.models import StaffChat
from core.models import OutboxMessage, OutboxState
from telegram_bot import delivery
from telegram_bot.delivery import DeliveryReport
from tests.bot.harness import Chat
from tests.bot.post import Post, deliver, known


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


def test_a_fan_out_that_fails_is_repeated_and_stops_no_neighbour(
    post: Post, sari: Chat, rina: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = post.write(None, "New order")
    post.write(sari, "Hello")

    def broken(kind: str) -> list[int]:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(delivery, "_staff", broken)
        assert deliver() == DeliveryReport(sent=1, postponed=1)
    assert (sari.texts, rina.texts) == (["Hello"], [])
    assert deliver(minutes=1) == DeliveryReport(sent=1)
    assert rina.texts == ["New order"]
    copy = OutboxMessage.objects.get(recipient=rina.id)
    assert copy.references == {"text": "New order"}
    row.refresh_from_db()
    assert row.state == OutboxState.SENT


def test_a_group_that_became_a_supergroup_gets_its_messages(post: Post, rina: Chat) -> None:
    group = post.bot.staff_group(rina)
    moved = post.bot.driver.post(f"/sandbox/api/chats/{group.id}/migrate/")["id"]
    post.bot.pump()
    post.write(group, "one")
    post.write(group, "two")
    assert deliver() == DeliveryReport(sent=2)
    assert StaffChat.objects.get().chat_id == moved
    assert Chat(post.bot, moved, rina.user_id).texts[-2:] == ["one", "two"]
