"""Updates of every kind: what they become for a view, and which never reach one."""

from typing import Any

from telegram import Update

from accounts.models import Customer
from telegram_bot.requests import RequestKind
from tests.bot.script import Script, process


def test_in_a_group_strangers_are_silence_and_no_customers(script: Script) -> None:
    stranger = script.bot.person("Budi")
    group = script.bot.staff_group(stranger)
    group.send("/start")
    assert script.seen == []
    assert group.messages == []
    assert not Customer.objects.filter(pk=stranger.user_id).exists()


def test_in_a_group_known_people_are_told_apart_from_private(script: Script) -> None:
    group = script.bot.staff_group(script.sari)
    script.view = lambda request: None
    group.send("/start@quickcart_demo_bot p_101")
    request = script.seen[-1]
    assert (request.is_private, request.command, request.text) == (False, "start", "p_101")
    assert request.chat_id == group.id
    group.send("/start@another_bot")
    assert len(script.seen) == 1


def test_commands_text_and_everything_else_are_told_apart(script: Script) -> None:
    script.sari.send("/STOCK  now ")
    script.sari.send("101")
    script.sari.send("", sticker=True)
    kinds = [(r.kind, r.command, r.text) for r in script.seen]
    assert kinds == [
        (RequestKind.COMMAND, "stock", "now"),
        (RequestKind.TEXT, "", "101"),
        (RequestKind.OTHER, "", ""),
    ]


def test_a_caption_is_text_and_may_be_a_command(script: Script) -> None:
    script.sari.send_photo(PNG, caption="/addstock 101|x")
    request = script.seen[-1]
    assert (request.command, request.text) == ("addstock", "101|x")


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8"
    "cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


def test_blocking_the_bot_is_remembered_and_forgotten(script: Script) -> None:
    script.sari.block()
    assert script.sari.customer.blocked_bot_at is not None
    script.sari.unblock()
    assert script.sari.customer.blocked_bot_at is None
    assert script.seen == []


def test_a_customer_found_blocking_while_answered_is_marked(script: Script) -> None:
    script.bot.fault("editMessageText", error_code=403, description="bot was blocked by the user")
    script.sari.press_path("/x")
    assert script.sari.customer.blocked_bot_at is not None


def test_an_inline_query_is_answered_empty(script: Script) -> None:
    asked = script.bot.driver.post(
        "/sandbox/api/inline/", {"from_id": script.sari.user_id, "query": "netflix"}
    )
    script.view = lambda request: None
    script.bot.pump()
    path = f"/sandbox/api/inline/{asked['inline_query_id']}/"
    answer = script.bot.driver.get(path)
    assert answer["answered"]
    assert answer["results"] == []
    assert (script.seen[-1].kind, script.seen[-1].text) == (RequestKind.INLINE, "netflix")


def test_updates_of_unknown_kinds_are_ignored(script: Script) -> None:
    unknown = {"update_id": 5, "something_of_next_year": {"id": 1}}
    edited = {"update_id": 6, "edited_message": {"message_id": 1, "date": 1, "chat": CHAT}}
    for raw in (unknown, edited):
        process(script.bot, Update.de_json(raw, script.bot.application.bot))
    assert script.seen == []


CHAT = {"id": 1, "type": "private"}


def test_an_admin_of_the_settings_becomes_one_with_the_first_update(
    script: Script, settings: Any
) -> None:
    rina = script.bot.person("Rina")
    settings.ADMIN_USER_IDS = [rina.user_id]
    rina.send("/start")
    assert rina.customer.is_admin
    assert script.seen[-1].customer.is_admin
