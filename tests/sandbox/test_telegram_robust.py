"""Whatever a program or a person sends, the stand-in answers in its own words."""

import json

import httpx
import pytest
from django.core.wsgi import get_wsgi_application
from django.db import OperationalError
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sandbox.telegram.methods import METHODS
from tests.sandbox.bot_api import PREFIX

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**24), 10**24),
    st.floats(),
    st.sampled_from(["", "\x00", "é😀", "attach://x", "{", '["\\u0000"]', "HTML", "<b>", "-5"]),
)
NAMES = st.sampled_from(
    [
        "text",
        "inline_keyboard",
        "keyboard",
        "callback_data",
        "url",
        "type",
        "offset",
        "length",
        "message_id",
        "chat_id",
        "id",
        "title",
        "media",
        "command",
        "description",
        "copy_text",
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
PARAMS = st.dictionaries(
    st.sampled_from(
        [
            "text",
            "caption",
            "reply_markup",
            "entities",
            "caption_entities",
            "parse_mode",
            "scope",
            "reply_parameters",
            "message_id",
            "photo",
            "media",
            "results",
            "commands",
            "file_id",
            "link_preview_options",
            "offset",
            "limit",
            "allowed_updates",
            "user_id",
            "action",
            "callback_query_id",
            "inline_query_id",
            "from_chat_id",
            "language_code",
            "sticker",
            "secret_token",
            "inline_message_id",
            "document",
            "reply_to_message_id",
            "show_alert",
        ]
    ),
    VALUES,
    max_size=5,
)
QUIET = sorted(name for name in METHODS if name not in {"setwebhook", "getupdates"})


@hypothesis_settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(method=st.sampled_from(QUIET), params=PARAMS, text=st.text(max_size=8))
def test_any_arguments_are_answered(telegram, method, params, text):
    chat = telegram.drive("users/", id=77, first_name="x")["id"]

    answer = telegram.ask(method, **{"chat_id": chat, "text": text, **params})

    assert answer["ok"] or 400 <= answer["error_code"] < 500


@pytest.mark.parametrize("text", ["\x00", "\\", "%00", "x\x00y"])
def test_forged_texts_and_data_reach_the_bot_or_are_refused(telegram, text):
    chat = telegram.person()
    sent = telegram.ok("sendMessage", chat_id=chat, text="x")["message_id"]

    bodies = {"messages/": {"text": text}, f"messages/{sent}/press/": {"data": text}}
    for path, body in bodies.items():
        response = telegram.client.post(
            f"/sandbox/api/chats/{chat}/{path}", json.dumps(body), content_type="application/json"
        )
        assert response.status_code in {200, 400}
    assert telegram.updates() is not None


def test_the_stand_in_works_in_process(transactional_db):
    transport = httpx.WSGITransport(app=get_wsgi_application())
    with httpx.Client(transport=transport, base_url="http://localhost") as http:
        answer = http.post(PREFIX + "getMe", files={"a": ("a.txt", b"x")}, data={"b": "1"})

    assert answer.json()["ok"] is True


def test_a_database_in_trouble_is_an_error_a_bot_can_read(telegram, monkeypatch):
    def fail(*_arguments):
        raise OperationalError("terminating connection")

    monkeypatch.setattr("sandbox.telegram.views.call", fail)
    answer = telegram.client.post(f"{PREFIX}getMe")
    assert answer.status_code == 500
    assert answer.json() == {
        "ok": False,
        "error_code": 500,
        "description": "Internal Server Error",
    }
