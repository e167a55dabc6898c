"""getMe, getChat, getChatMember, chat actions, files and commands."""

import pytest
from django.conf import settings

from tests.sandbox.bot_api import FILE_PREFIX


@pytest.fixture
def chat(telegram):
    return telegram.person()


def test_get_me_describes_the_bot(telegram):
    me = telegram.ok("getMe")

    assert me["id"] == int(settings.SANDBOX_BOT_TOKEN.split(":")[0])
    assert me["username"] == settings.SANDBOX_BOT_USERNAME
    assert me["supports_inline_queries"] is True


def test_get_chat_describes_people_and_groups(telegram, chat):
    group = telegram.group(chat)

    assert telegram.ok("getChat", chat_id=chat)["type"] == "private"
    assert telegram.ok("getChat", chat_id=group)["title"] == "Staff"
    assert telegram.refused("getChat", chat_id=5) == "400 Bad Request: chat not found"


def test_get_chat_member_tells_members_from_others(telegram, chat):
    group, stranger = telegram.group(chat), telegram.person()

    assert telegram.ok("getChatMember", chat_id=group, user_id=chat)["status"] == "member"
    assert telegram.ok("getChatMember", chat_id=group, user_id=stranger)["status"] == "left"
    assert telegram.refused("getChatMember", chat_id=group, user_id=5) == (
        "400 Bad Request: invalid user_id specified"
    )


def test_chat_actions_are_known_ones(telegram, chat):
    assert telegram.ok("sendChatAction", chat_id=chat, action="typing") is True
    assert telegram.refused("sendChatAction", chat_id=chat, action="dancing") == (
        "400 Bad Request: wrong parameter action in request"
    )


def test_unknown_files_are_refused(telegram):
    assert telegram.refused("getFile", file_id="x") == "400 Bad Request: invalid file_id"
    assert telegram.client.get(FILE_PREFIX + "photos/file_1.png").status_code == 404
    assert telegram.client.get(FILE_PREFIX + "../../etc/passwd").status_code == 404
    wrong_token = FILE_PREFIX.replace("SANDBOX", "WRONG")
    assert telegram.client.get(wrong_token + "photos/file_1.png").status_code == 401


def test_commands_are_kept_per_scope_and_language(telegram):
    general = [{"command": "start", "description": "Mulai"}]
    english = [{"command": "start", "description": "Begin"}]
    private = {"type": "all_private_chats"}

    telegram.ok("setMyCommands", commands=general)
    telegram.ok("setMyCommands", commands=english, language_code="en", scope=private)

    assert telegram.ok("getMyCommands") == general
    assert telegram.ok("getMyCommands", language_code="en", scope=private) == english
    telegram.ok("deleteMyCommands")
    assert telegram.ok("getMyCommands") == []
    assert telegram.ok("getMyCommands", language_code="en", scope=private) == english


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ({"command": "Start", "description": "x"}, "BOT_COMMAND_INVALID"),
        ({"command": "x" * 33, "description": "x"}, "BOT_COMMAND_INVALID"),
        ({"command": "start", "description": ""}, "BOT_COMMAND_DESCRIPTION_INVALID"),
        ({"command": "start", "description": "x" * 257}, "BOT_COMMAND_DESCRIPTION_INVALID"),
    ],
)
def test_broken_commands_are_refused(telegram, command, reason):
    assert telegram.refused("setMyCommands", commands=[command]) == f"400 Bad Request: {reason}"
    assert telegram.ok("getMyCommands") == []
