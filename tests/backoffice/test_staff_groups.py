"""Staff groups: who hears of sales is chosen in the back office, and counts at once."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import StaffChat
from accounts.services.staff_chats import add_staff_chat
from core.models import OutboxMessage, OutboxState
from telegram_bot import delivery
from telegram_bot.outgoing import Delivery
from tests.backoffice.pages import actor, body, url, words
from tests.backoffice.test_staff import last_audit
from tests.world import World

pytestmark = pytest.mark.django_db


def form(**changes: str) -> dict[str, str]:
    return {
        "title": "Gudang",
        "chat_id": "-1001234567890",
        "hears_orders": "on",
        "hears_problems": "on",
    } | changes


def test_added_changed_and_removed(owner: Client) -> None:
    assert owner.post(url(StaffChat, "add"), form()).status_code == 302
    group = StaffChat.objects.get()
    values = {
        "chat_id": -1001234567890,
        "title": "Gudang",
        "hears_orders": True,
        "hears_problems": True,
    }
    target = f"staffchat:{group.pk}"
    assert last_audit() == (actor(), "add_staff_chat", target, None, values)
    owner.post(url(StaffChat, "change", group.pk), form(title="Toko"))
    changed = ({"title": "Gudang"}, {"title": "Toko"})
    assert last_audit() == (actor(), "update_staff_chat", target, *changed)
    owner.post(url(StaffChat, "delete", group.pk), {"post": "yes"})
    assert not StaffChat.objects.exists()
    assert last_audit()[1:3] == ("remove_staff_chat", target)


@pytest.mark.parametrize("chat_id", ["1001234567890", "0", "-9007199254740993"])
def test_an_id_that_no_group_has_is_refused(owner: Client, chat_id: str) -> None:
    answer = owner.post(url(StaffChat, "add"), form(chat_id=chat_id))
    assert "A group's id is a negative number" in words(answer).replace("&#x27;", "'")
    assert not StaffChat.objects.exists()


def test_the_service_refuses_it_too(world: World) -> None:
    fields = {"chat_id": 5, "title": "x"}
    with pytest.raises(ValidationError, match="negative number"):
        add_staff_chat(fields=fields, actor="x", source="x", now=world.now)
    assert not StaffChat.objects.exists()


def test_a_group_is_on_the_list_once(owner: Client) -> None:
    StaffChat.objects.create(chat_id=-1001234567890)
    answer = owner.post(url(StaffChat, "add"), form())
    assert "This group is on the list already." in words(answer)
    assert StaffChat.objects.count() == 1


def test_the_page_says_how_to_find_the_id(owner: Client) -> None:
    assert "web.telegram.org" in body(owner, url(StaffChat, "add"))


def test_a_paid_order_is_announced_to_a_group_added_here(
    owner: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.post(url(StaffChat, "add"), form())
    sent = sent_by_a_purchase(world, monkeypatch)
    assert [each.row.kind for each in sent if each.chat_id == -1001234567890] == [
        "staff_order_paid"
    ]


def test_a_group_that_was_removed_hears_nothing_more(
    owner: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.post(url(StaffChat, "add"), form())
    waiting = OutboxMessage.objects.create(
        recipient=-1001234567890, kind="staff_order_paid", priority=10, dedupe_key="x"
    )
    owner.post(url(StaffChat, "delete", StaffChat.objects.get().pk), {"post": "yes"})
    waiting.refresh_from_db()
    assert waiting.state == OutboxState.DROPPED
    sent = sent_by_a_purchase(world, monkeypatch)
    assert not [each for each in sent if each.chat_id == -1001234567890]


def sent_by_a_purchase(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Delivery]:
    sent: list[Delivery] = []

    async def collect(deliveries: list[Delivery]) -> None:
        sent.extend(deliveries)

    monkeypatch.setattr(delivery, "send_all", collect)
    world.paid(world.customer(balance=50_000), world.product())
    delivery.deliver_outbox()
    return sent


def test_who_may_only_look_changes_nothing(staff: Callable[..., Client]) -> None:
    group = StaffChat.objects.create(chat_id=-5)
    client = staff("accounts.view_staffchat")
    assert client.post(url(StaffChat, "change", group.pk), form()).status_code == 403
    assert client.get(url(StaffChat, "add")).status_code == 403
    deleting = client.post(url(StaffChat, "delete", group.pk), {"post": "yes"})
    assert deleting.status_code == 403
    assert StaffChat.objects.get().chat_id == -5
