"""What people do, over the driving API, and what the bot hears of it."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from sandbox.telegram.models import CallbackQuery, Update
from tests.sandbox.bot_api import png

KEYBOARD = {"inline_keyboard": [[{"text": "Beli", "callback_data": "/product/7/1"}]]}


@pytest.fixture
def chat(telegram):
    return telegram.person(username="sari", language_code="id")


@pytest.fixture
def sent(telegram, chat):
    message = telegram.ok("sendMessage", chat_id=chat, text="a", reply_markup=KEYBOARD)
    return message["message_id"]


def test_people_get_ids_of_their_own(telegram):
    first = telegram.drive("users/", first_name="Sari", username="sari", language_code="id")
    second = telegram.drive("users/", first_name="Budi")

    assert first["id"] > 900_000_000
    assert first["first_name"] == "Sari"
    assert second["id"] == first["id"] + 1
    assert telegram.see("users/")["users"] == [first, second]


def test_a_persona_may_ask_for_an_id_and_nobody_else_gets_it(telegram, chat):
    wanted = chat + 1

    assert telegram.drive("users/", id=wanted, first_name="Admin")["id"] == wanted
    assert telegram.drive("users/", id=wanted, first_name="Bos")["first_name"] == "Bos"
    assert telegram.person() == chat + 2


def test_names_of_255_strange_characters_arrive_intact(telegram):
    name = ("<&😀\u202e" * 64)[:255]
    chat = telegram.person(name)

    telegram.say(chat, "x")

    assert telegram.updates()[0]["message"]["from"]["first_name"] == name


def test_what_a_person_writes_becomes_an_update(telegram, chat):
    said = telegram.say(chat, "/start p_101", from_id=chat)

    (update,) = telegram.updates()
    message = update["message"]
    assert update["update_id"] == said["update_id"]
    assert message["message_id"] == said["message_id"]
    assert message["text"] == "/start p_101"
    assert message["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]
    assert message["from"] == {
        "id": chat,
        "is_bot": False,
        "first_name": "Sari",
        "username": "sari",
        "language_code": "id",
    }
    assert message["chat"]["type"] == "private"


@pytest.mark.parametrize("kind", ["photo", "document"])
def test_people_send_files(telegram, chat, kind):
    upload = SimpleUploadedFile("a.png", png(), "image/png")
    fields = {"from_id": chat, kind: upload, "caption": "/addstock 101"}

    answer = telegram.client.post(f"/sandbox/api/chats/{chat}/messages/", fields)

    assert set(answer.json()) == {"message_id", "update_id"}
    message = telegram.updates()[0]["message"]
    assert message[kind]
    assert message["caption"] == "/addstock 101"
    assert message["caption_entities"][0]["type"] == "bot_command"
    assert telegram.client.get(telegram.messages(chat)[0][kind]).content == png()


def test_people_send_stickers_and_reply(telegram, chat, sent):
    telegram.drive(f"chats/{chat}/messages/", sticker=True, reply_to_message_id=sent)

    message = telegram.updates()[0]["message"]
    assert message["sticker"]["file_id"]
    assert message["reply_to_message"]["message_id"] == sent


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"text": ""}, 400),
        ({"text": "x" * 4097}, 400),
        ({"caption": "x"}, 400),
        ({"text": "x", "from_id": 5}, 404),
        ({"text": "x", "reply_to_message_id": 99}, 400),
    ],
)
def test_what_nobody_could_write_is_refused(telegram, chat, body, status):
    assert telegram.drive_refused(f"chats/{chat}/messages/", **body)[0] == status
    assert telegram.updates() == []
    assert telegram.messages(chat) == []


def test_only_members_write_in_a_group(telegram, chat):
    stranger, group = telegram.person("Budi"), telegram.group(chat)

    assert telegram.drive_refused(f"chats/{group}/messages/", text="x", from_id=stranger)[0] == 400
    telegram.say(group, "/stats", from_id=chat)

    message = telegram.updates()[0]["message"]
    assert message["chat"] == {"id": group, "title": "Staff", "type": "group"}
    assert message["from"]["id"] == chat


def test_a_press_becomes_a_callback_query_with_its_message(telegram, chat, sent):
    pressed = telegram.press(chat, sent, "/product/7/1", from_id=chat)

    (update,) = telegram.updates()
    query = update["callback_query"]
    assert update["update_id"] == pressed["update_id"]
    assert query["id"] == pressed["callback_query_id"]
    assert query["data"] == "/product/7/1"
    assert query["from"]["id"] == chat
    assert query["message"]["message_id"] == sent
    assert query["message"]["reply_markup"] == KEYBOARD


@pytest.mark.parametrize("data", ["/admin/🤡", "x" * 64, "'; DROP TABLE", "/product/" + "9" * 23])
def test_forged_data_may_be_pressed(telegram, chat, sent, data):
    telegram.press(chat, sent, data)

    assert telegram.updates()[0]["callback_query"]["data"] == data


@pytest.mark.parametrize("data", ["", "x" * 65, "é" * 33])
def test_data_telegram_could_not_carry_is_refused(telegram, chat, sent, data):
    path = f"chats/{chat}/messages/{sent}/press/"

    assert telegram.drive_refused(path, data=data)[0] == 400
    assert not CallbackQuery.objects.exists()


def test_a_deleted_or_foreign_message_cannot_be_pressed(telegram, chat, sent):
    theirs = telegram.say(chat, "x")["message_id"]
    telegram.ok("deleteMessage", chat_id=chat, message_id=sent)

    for message_id in (sent, theirs, 999):
        path = f"chats/{chat}/messages/{message_id}/press/"
        assert telegram.drive_refused(path, data="x")[0] == 400
    assert not CallbackQuery.objects.exists()


def test_answers_to_a_callback_are_seen(telegram, chat, sent):
    query_id = telegram.press(chat, sent, "x")["callback_query_id"]
    before = telegram.see(f"callbacks/{query_id}/")

    telegram.ok("answerCallbackQuery", callback_query_id=query_id, text="Habis", show_alert=True)

    after = telegram.see(f"callbacks/{query_id}/")
    assert (before["answered"], before["text"], before["show_alert"]) == (False, None, False)
    assert (after["answered"], after["text"], after["show_alert"]) == (True, "Habis", True)


def test_a_second_answer_is_taken_and_an_unknown_query_is_too_old(telegram, chat, sent):
    query_id = telegram.press(chat, sent, "x")["callback_query_id"]

    assert telegram.ok("answerCallbackQuery", callback_query_id=query_id)
    assert telegram.ok("answerCallbackQuery", callback_query_id=query_id)
    too_old = (
        "400 Bad Request: query is too old and response timeout expired or query ID is invalid"
    )
    assert telegram.refused("answerCallbackQuery", callback_query_id="99999999") == too_old
    assert telegram.refused("answerCallbackQuery", callback_query_id="x") == too_old
    CallbackQuery.objects.update(created_at="2020-01-01T00:00:00Z")
    assert telegram.refused("answerCallbackQuery", callback_query_id=query_id) == too_old


def test_a_callback_text_has_at_most_200_characters(telegram, chat, sent):
    query_id = telegram.press(chat, sent, "x")["callback_query_id"]
    answer = {"callback_query_id": query_id, "text": "x" * 201}

    assert telegram.refused("answerCallbackQuery", **answer) == "400 Bad Request: MESSAGE_TOO_LONG"


def test_messages_show_what_changed_since_an_event(telegram, chat, sent):
    first = telegram.see(f"chats/{chat}/messages/?after=0")
    telegram.ok("sendMessage", chat_id=chat, text="<b>b</b>", parse_mode="HTML")
    telegram.ok("deleteMessage", chat_id=chat, message_id=sent)

    changed = telegram.see(f"chats/{chat}/messages/?after={first['event']}")

    assert [(row["text"], row["deleted"]) for row in changed["messages"]] == [
        ("b", False),
        ("a", True),
    ]
    assert changed["messages"][0]["html"] == "<b>b</b>"
    assert changed["messages"][0]["from_bot"] is True
    assert changed["event"] == changed["messages"][-1]["event"]
    again = telegram.see(f"chats/{chat}/messages/?after={changed['event']}")
    assert again == {"messages": [], "event": changed["event"]}


def test_blocking_and_taking_back_are_changes_of_membership(telegram, chat):
    telegram.drive(f"users/{chat}/block/")
    telegram.drive(f"users/{chat}/block/")
    telegram.drive(f"users/{chat}/unblock/")

    changes = [update["my_chat_member"] for update in telegram.updates()]
    assert [
        (change["old_chat_member"]["status"], change["new_chat_member"]["status"])
        for change in changes
    ] == [("member", "kicked"), ("kicked", "member")]
    assert changes[0]["chat"]["id"] == chat
    assert changes[0]["new_chat_member"]["user"]["is_bot"] is True


def test_who_blocked_the_bot_cannot_write_to_it(telegram, chat):
    telegram.drive(f"users/{chat}/block/")

    assert telegram.drive_refused(f"chats/{chat}/messages/", text="x")[0] == 400


def test_a_migrated_group_answers_with_its_new_id(telegram, chat):
    group = telegram.group(chat)

    supergroup = telegram.drive(f"chats/{group}/migrate/")["id"]

    assert str(supergroup).startswith("-100")
    refusal = telegram.ask("sendMessage", chat_id=group, text="x")
    assert refusal["error_code"] == 400
    assert refusal["description"] == ("Bad Request: group chat was upgraded to a supergroup chat")
    assert refusal["parameters"] == {"migrate_to_chat_id": supergroup}
    assert telegram.ok("sendMessage", chat_id=supergroup, text="x")["chat"]["type"] == "supergroup"
    old, new = (update["message"] for update in telegram.updates())
    assert (old["chat"]["id"], old["migrate_to_chat_id"]) == (group, supergroup)
    assert (new["chat"]["id"], new["migrate_from_chat_id"]) == (supergroup, group)
    telegram.say(supergroup, "/stats", from_id=chat)
    assert telegram.drive_refused(f"chats/{group}/migrate/")[0] == 400


def test_inline_mode(telegram, chat):
    asked = telegram.drive("inline/", from_id=chat, query="netflix")
    (update,) = telegram.updates()
    query = update["inline_query"]
    assert (query["id"], query["query"], query["from"]["id"]) == (
        asked["inline_query_id"],
        "netflix",
        chat,
    )
    path = f"inline/{asked['inline_query_id']}/"
    assert telegram.see(path) == {"id": query["id"], "answered": False, "results": []}
    results = [
        {
            "type": "article",
            "id": "101",
            "title": "Netflix",
            "input_message_content": {"message_text": "<b>Netflix</b>", "parse_mode": "HTML"},
        }
    ]

    telegram.ok("answerInlineQuery", inline_query_id=query["id"], results=results, cache_time=0)

    seen = telegram.see(path)
    assert (seen["answered"], seen["results"], seen["cache_time"]) == (True, results, 0)


CONTENT = {"message_text": "x"}


@pytest.mark.parametrize(
    ("results", "reason"),
    [
        ([{"type": "article", "id": "1", "input_message_content": CONTENT}], '"title"'),
        ([{"type": "article", "id": "1", "title": "x"}], '"message_text" is empty'),
        (
            [{"type": "article", "id": "", "title": "x", "input_message_content": CONTENT}],
            "RESULT_ID_INVALID",
        ),
        (
            [{"type": "article", "id": "1", "title": "x", "input_message_content": CONTENT}] * 2,
            "RESULT_ID_DUPLICATE",
        ),
        (
            [
                {"type": "article", "id": str(n), "title": "x", "input_message_content": CONTENT}
                for n in range(51)
            ],
            "RESULTS_TOO_MUCH",
        ),
        (
            [
                {
                    "type": "article",
                    "id": "1",
                    "title": "x",
                    "input_message_content": {"message_text": "<b>", "parse_mode": "HTML"},
                }
            ],
            "can't parse entities",
        ),
        ([{"id": "1"}], '"type"'),
        ({}, "expected an Array of InlineQueryResult"),
    ],
)
def test_broken_inline_results_are_refused(telegram, chat, results, reason):
    query_id = telegram.drive("inline/", from_id=chat, query="x")["inline_query_id"]

    answer = {"inline_query_id": query_id, "results": results}

    assert reason in telegram.refused("answerInlineQuery", **answer)
    assert telegram.see(f"inline/{query_id}/")["answered"] is False


def test_every_call_is_on_record(telegram, chat):
    start = telegram.see("calls/")["n"]
    telegram.ok("sendMessage", chat_id=chat, text="x")
    telegram.refused("sendMessage", chat_id=chat, text="")
    telegram.ok("getMe")
    telegram.refused("sendNothing")

    log = telegram.see(f"calls/?after={start}")

    assert [
        (call["method"], call["chat_id"], call["ok"], call["error_code"]) for call in log["calls"]
    ] == [
        ("sendMessage", chat, True, None),
        ("sendMessage", chat, False, 400),
        ("getMe", None, True, None),
        ("sendNothing", None, False, 404),
    ]
    assert log["n"] == log["calls"][-1]["n"]
    assert all(call["at"] for call in log["calls"])
    newest = telegram.see(f"calls/?after={start}&limit=2")
    assert [call["method"] for call in newest["calls"]] == ["getMe", "sendNothing"]
    only = telegram.see(f"calls/?after={start}&method=getme&chat_id=")
    assert [call["method"] for call in only["calls"]] == ["getMe"]


def test_reset_forgets_all_but_never_reuses_an_id(telegram, chat):
    said = telegram.say(chat, "x")
    telegram.ok("setMyCommands", commands=[{"command": "start", "description": "Mulai"}])
    telegram.drive("faults/", error_code=500)

    assert telegram.drive("reset/") == {}

    assert telegram.see("users/") == {"users": []}
    assert telegram.see("faults/") == {"faults": []}
    assert telegram.updates() == []
    assert len(telegram.ok("getMyCommands")) == 1
    person = telegram.person()
    assert person > chat
    assert telegram.say(person, "x")["update_id"] > said["update_id"]


@pytest.mark.parametrize(
    "path",
    ["users/5/", "chats/5/messages/", "callbacks/999999/", "inline/999999/", "chats/-5/messages/"],
)
def test_what_does_not_exist_is_404(telegram, path):
    response = telegram.client.get(f"/sandbox/api/{path}")

    assert response.status_code == 404
    assert response.json()["error"]


def test_broken_bodies_are_400(telegram):
    for body in ("{", "[]", '{"first_name": "\\ud800"}', json.dumps({"member_ids": ["x"]})):
        path = "chats" if "member" in body else "users"
        response = telegram.client.post(
            f"/sandbox/api/{path}/", body, content_type="application/json"
        )
        assert response.status_code == 400
        assert response.json()["error"]


def test_nobody_needs_a_csrf_token(telegram):
    telegram.client.handler.enforce_csrf_checks = True

    assert telegram.person()
    assert telegram.ok("getMe")


def test_unwanted_kinds_of_updates_are_not_queued(telegram, chat, sent):
    telegram.updates(allowed_updates=["callback_query"])

    assert telegram.say(chat, "x")["update_id"] is None
    assert telegram.press(chat, sent, "x")["update_id"] is not None
    assert [update.kind for update in Update.objects.all()] == ["callback_query"]


def test_reset_keeps_the_people_of_the_demo_where_it_was_made(telegram, settings):
    call_command("seed_sandbox", verbosity=0)
    telegram.drive("reset/")
    known = {user["id"] for user in telegram.see("users/")["users"]}
    assert known == {persona["id"] for persona in settings.SANDBOX_PERSONAS}
