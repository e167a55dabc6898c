"""A program that drives the stand-ins always gets JSON, and is told when it misspells."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError

from sandbox.pakasir.models import PakasirFault
from sandbox.telegram.models import CallFault, Chat, Message
from tests.sandbox.bot_api import png


@pytest.mark.parametrize(
    "path",
    ["", "nothing/", "users", "users/x/", "chats/1/messages", f"chats/{'9' * 17}/messages/"],
)
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_unknown_address_is_404_as_json(telegram, settings, path, method):
    settings.DEBUG = True

    response = getattr(telegram.client, method)(f"/sandbox/api/{path}")

    assert response.status_code == 404
    assert f"/sandbox/api/{path}" in response.json()["error"]


@pytest.mark.parametrize("path", ["nothing/", "api/v2/nothing", "api/transactions"])
def test_an_unknown_address_of_the_gateway_is_404_as_json(telegram, settings, path):
    settings.DEBUG = True

    response = telegram.client.post(f"/sandbox/pakasir/{path}")

    assert (response.status_code, path in response.json()["message"]) == (404, True)


@pytest.mark.parametrize(
    ("path", "body", "unknown"),
    [
        ("users/", {"first_name": "Sari", "frist_name": "x"}, "frist_name"),
        ("users/{chat}/block/", {"from_id": 1}, "from_id"),
        ("users/{chat}/unblock/", {"x": 1}, "x"),
        ("chats/", {"title": "x", "members": [1]}, "members"),
        ("chats/{chat}/messages/", {"text": "x", "reply_to": 1}, "reply_to"),
        ("chats/{chat}/messages/1/press/", {"callback_data": "x"}, "callback_data"),
        ("chats/{chat}/migrate/", {"to": 1}, "to"),
        ("inline/", {"from_id": 1, "text": "x"}, "text"),
        ("faults/", {"error_code": 500, "time": 2}, "time"),
        ("limits/", {"enabled": True}, "enabled"),
        ("reset/", {"all": True}, "all"),
    ],
)
def test_a_misspelt_field_is_refused_by_name_and_nothing_happens(telegram, path, body, unknown):
    chat = telegram.person()

    status, reason = telegram.drive_refused(path.format(chat=chat), **body)

    assert status == 400
    assert reason.startswith(f"unknown field {unknown};")
    assert list(Chat.objects.values_list("pk", "is_blocked")) == [(chat, False)]
    assert not Message.objects.exists()
    assert not CallFault.objects.exists()


def test_a_misspelt_field_of_an_upload_is_refused_too(telegram):
    chat = telegram.person()
    fields = {"picture": SimpleUploadedFile("a.png", png(), "image/png"), "text": "x"}

    response = telegram.client.post(f"/sandbox/api/chats/{chat}/messages/", fields)

    assert (response.status_code, "picture" in response.json()["error"]) == (400, True)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("transactions/TXN1/pay/", {"webhooks": "drop"}),
        ("api/faults/", {"call": "create", "kind": "500", "count": 2}),
    ],
)
def test_the_bank_refuses_misspelt_fields(telegram, path, body):
    response = telegram.client.post(
        f"/sandbox/pakasir/{path}", json.dumps(body), content_type="application/json"
    )

    assert response.status_code == 400
    assert response.json()["message"].startswith(f"{list(body)[-1]}: unknown field")
    assert not PakasirFault.objects.exists()


def test_what_the_database_cannot_store_is_400(committed_telegram):
    status, reason = committed_telegram.drive_refused("faults/", error_code=429, retry_after=2**40)

    assert (status, "integer out of range" in reason) == (400, True)
    for path in ("transactions/TXN%00/pay/", "pay-v2/TXN%00"):
        response = committed_telegram.client.post(f"/sandbox/pakasir/{path}")
        assert response.status_code == 400
        assert "text/html" not in response["Content-Type"]


def test_a_broken_upload_is_400(telegram):
    response = telegram.client.post(
        "/sandbox/api/users/", b"x", content_type="multipart/form-data"
    )

    assert response.status_code == 400
    assert "boundary" in response.json()["error"].lower()


def test_a_database_in_trouble_is_500_as_json(telegram, monkeypatch):
    def fail(*_arguments, **_named):
        raise OperationalError("terminating connection")

    monkeypatch.setattr("sandbox.api.people.create_person", fail)

    assert telegram.drive_refused("users/", first_name="x") == (
        500,
        "the database is in trouble: try again",
    )
