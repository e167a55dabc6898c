"""`/sandbox/live/`: what was committed, told to an open page."""

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection, transaction

from sandbox import changes, live
from sandbox.pakasir import transactions
from sandbox.telegram import chats

HEARTBEAT = b":\n\n"


class Page:
    """What a browser's EventSource reads."""

    def __init__(self, client, **environment):
        self.response = client.get("/sandbox/live/", **environment)
        self.parts = iter(self.response.streaming_content)

    def open(self):
        assert next(self.parts) == b"retry: 1000\n\n"
        assert next(self.parts) == b"event: hello\ndata: {}\n\n"
        return self

    def changes(self):
        name, data = next(self.parts).decode().removesuffix("\n\n").split("\n")
        assert name == "event: changes"
        return json.loads(data.removeprefix("data: "))


@pytest.fixture
def telegram(committed_telegram):
    return committed_telegram


@pytest.fixture
def page(telegram):
    page = Page(telegram.client).open()
    yield page
    page.response.close()


@pytest.fixture
def chat(telegram):
    return telegram.person()


@pytest.fixture(autouse=True)
def _free_places(monkeypatch):
    monkeypatch.setattr(live, "_places", threading.BoundedSemaphore(live.STREAMS))


def test_the_answer_is_a_stream_that_no_proxy_keeps(telegram):
    response = telegram.client.get("/sandbox/live/")

    assert response.status_code == 200
    assert response["Content-Type"] == "text/event-stream"
    assert response["Cache-Control"] == "no-store"
    assert response["X-Accel-Buffering"] == "no"
    response.close()


def test_a_message_written_edited_and_deleted_is_told_with_its_event(telegram, chat, page):
    def newest():
        return f"chat:{chat}:{telegram.see(f'chats/{chat}/messages/')['event']}"

    sent = telegram.ok("sendMessage", chat_id=chat, text="a")
    message = {"chat_id": chat, "message_id": sent["message_id"]}
    assert page.changes() == [newest(), "calls"]
    telegram.ok("editMessageText", **message, text="b")
    assert page.changes() == [newest(), "calls"]
    telegram.ok("deleteMessage", **message)
    assert page.changes() == [newest(), "calls"]
    telegram.say(chat, "x")
    assert page.changes() == [newest()]


def test_what_another_connection_commits_is_told(telegram, page):
    def elsewhere():
        try:
            return telegram.person("Budi")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(elsewhere).result()
        assert page.changes() == ["chats"]


def test_a_change_refused_or_rolled_back_is_not_told(telegram, chat, page, monkeypatch):
    sent = telegram.ok("sendMessage", chat_id=chat, text="a")
    page.changes()

    same = {"chat_id": chat, "message_id": sent["message_id"], "text": "a"}
    assert "not modified" in telegram.refused("editMessageText", **same)
    assert page.changes() == ["calls"]
    with transaction.atomic():
        chats.hold_chat(chat)
        changes.tell("chats")
        transaction.set_rollback(True)
    monkeypatch.setattr(live, "HEARTBEAT", 0)
    assert next(page.parts) == HEARTBEAT


def test_what_is_committed_close_together_is_told_together_and_once(telegram, chat, monkeypatch):
    naps = []

    def nap(seconds):
        naps.append(seconds)
        changes.tell("payments", "calls")

    page = Page(telegram.client).open()
    telegram.ok("getMe")
    telegram.ok("getMe")
    with monkeypatch.context() as patch:
        patch.setattr(live.time, "sleep", nap)
        assert page.changes() == ["calls", "payments"]
    assert naps == [0.02]
    page.response.close()


@pytest.fixture
def heard(telegram, chat):
    with changes.listening() as listener:
        yield listener.heard


def test_a_reset_and_people_who_come_and_change_are_told(telegram, chat, heard):
    telegram.drive("users/", first_name="Budi")
    assert heard() == ["chats"]
    telegram.drive("users/", id=chat, first_name="Sri")
    assert heard() == ["chats"]
    group = telegram.group(chat)
    assert heard() == ["chats"]
    telegram.drive(f"chats/{group}/migrate/")
    assert "chats" in heard()
    telegram.drive(f"users/{chat}/block/")
    assert "chats" in heard()
    telegram.drive(f"users/{chat}/unblock/")
    assert "chats" in heard()
    telegram.drive("reset/")
    assert heard() == ["reset"]


def test_an_answered_button_and_typing_are_told(telegram, chat, heard):
    markup = {"inline_keyboard": [[{"text": "a", "callback_data": "x"}]]}
    sent = telegram.ok("sendMessage", chat_id=chat, text="a", reply_markup=markup)
    query_id = telegram.press(chat, sent["message_id"], "x")["callback_query_id"]
    heard()

    telegram.ok("answerCallbackQuery", callback_query_id=query_id)
    assert heard() == [f"callback:{query_id}", "calls"]
    telegram.ok("sendChatAction", chat_id=chat, action="typing")
    assert heard() == [f"typing:{chat}:typing", "calls"]
    telegram.refused("sendChatAction", chat_id=chat, action="dancing")
    assert heard() == ["calls"]


def test_a_payment_made_paid_or_cancelled_is_told_and_the_same_again_is_not(heard):
    paid = transactions.find_or_create(order_id="ORDER-1", amount=5000)
    assert heard() == ["payments"]
    transactions.find_or_create(order_id="ORDER-1", amount=5000)
    assert heard() == []
    transactions.pay(paid.txn_id)
    assert heard() == ["payments"]
    transactions.pay(paid.txn_id)
    assert heard() == []
    other = transactions.find_or_create(order_id="ORDER-2", amount=5000)
    heard()
    transactions.cancel(other.txn_id)
    assert heard() == ["payments"]
    transactions.cancel(other.txn_id)
    assert heard() == []


def test_at_most_twelve_streams_and_a_closed_one_makes_room(telegram):
    streams = [telegram.client.get("/sandbox/live/") for _ in range(12)]

    refused = telegram.client.get("/sandbox/live/")
    assert (refused.status_code, refused["Content-Type"]) == (503, "application/json")
    for stream in streams:
        stream.close()  # none of them was ever read
        stream.close()
    page = Page(telegram.client).open()
    page.response.close()
    assert live._places._value == 12


def test_a_closed_stream_leaves_its_connection_as_it_was(telegram):
    page = Page(telegram.client).open()
    assert _listening_channels() == [changes.CHANNEL]

    page.response.close()

    assert _listening_channels() == []


def _listening_channels():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_listening_channels()")
        return [row[0] for row in cursor.fetchall()]


def test_a_stream_ends_by_itself(telegram, monkeypatch):
    monkeypatch.setattr(live, "LIFETIME", 0)
    page = Page(telegram.client).open()

    assert list(page.parts) == []
    assert _listening_channels() == []


def test_a_stream_ends_as_soon_as_its_reader_is_gone(telegram):
    server, browser = socket.socketpair()
    page = Page(telegram.client, **{"gunicorn.socket": server}).open()

    browser.close()

    assert list(page.parts) == []
    assert _listening_channels() == []
    server.close()


def test_a_reader_that_says_more_is_still_there(telegram, monkeypatch):
    monkeypatch.setattr(live, "HEARTBEAT", 0)
    server, browser = socket.socketpair()
    page = Page(telegram.client, **{"gunicorn.socket": server}).open()

    browser.send(b"GET / HTTP/1.1\r\n")

    assert next(page.parts) == HEARTBEAT
    telegram.person()
    assert page.changes() == ["chats"]
    page.response.close()
    server.close()
    browser.close()


def test_a_database_in_trouble_ends_the_stream_quietly(telegram, monkeypatch):
    page = Page(telegram.client).open()

    def fail(*_arguments):
        raise OperationalError("terminating connection")

    monkeypatch.setattr(changes.Listener, "wait", fail)
    assert list(page.parts) == []
