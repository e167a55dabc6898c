"""The queue of updates: confirmed by offset, waited for, delivered to a webhook."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.db import connection, transaction

from sandbox.telegram import update_queue, webhook
from sandbox.telegram.models import Bot, Update
from sandbox.telegram.updates import push

CONFLICT = (
    "409 Conflict: terminated by other getUpdates request; "
    "make sure that only one bot instance is running"
)


@pytest.fixture
def chat(telegram):
    return telegram.person()


def ids(updates):
    return [update["update_id"] for update in updates]


def test_updates_come_again_until_an_offset_confirms_them(telegram, chat):
    sent = [telegram.say(chat, text)["update_id"] for text in "abc"]

    assert ids(telegram.updates()) == sent
    assert ids(telegram.updates()) == sent
    assert ids(telegram.updates(offset=sent[1])) == sent[1:]
    assert ids(telegram.updates(limit=1)) == sent[1:2]
    assert ids(telegram.updates(offset=sent[2] + 1)) == []
    assert not Update.objects.exists()


def test_a_negative_offset_keeps_only_the_newest(telegram, chat):
    sent = [telegram.say(chat, text)["update_id"] for text in "abc"]

    assert ids(telegram.updates(offset=-2)) == sent[1:]
    assert ids(telegram.updates()) == sent[1:]


def test_updates_older_than_a_day_are_forgotten(telegram, chat):
    telegram.say(chat, "a")
    Update.objects.update(created_at="2020-01-01T00:00:00Z")

    assert telegram.updates() == []


def test_polling_beside_a_webhook_is_refused(telegram):
    telegram.ok("setWebhook", url="http://127.0.0.1:1/hook")

    assert telegram.refused("getUpdates").startswith("409 Conflict: can't use getUpdates method")
    telegram.ok("deleteWebhook")
    assert telegram.updates() == []


@pytest.mark.parametrize(
    ("params", "refusal"),
    [
        ({"url": "nowhere"}, "bad webhook: An HTTPS URL must be provided for webhook"),
        ({"url": "ftp://a.b"}, "bad webhook: An HTTPS URL must be provided for webhook"),
        (
            {"url": "https://a.b", "secret_token": "ä"},
            "secret token contains unallowed characters",
        ),
    ],
)
def test_broken_webhooks_are_refused(telegram, params, refusal):
    assert telegram.refused("setWebhook", **params) == f"400 Bad Request: {refusal}"
    assert telegram.ok("getWebhookInfo")["url"] == ""


def test_dropping_pending_updates(telegram, chat):
    telegram.say(chat, "a")
    assert telegram.ok("getWebhookInfo")["pending_update_count"] == 1

    telegram.ok("deleteWebhook", drop_pending_updates=True)

    assert telegram.ok("getWebhookInfo")["pending_update_count"] == 0


def in_thread(pool, work):
    def run():
        try:
            return work()
        finally:
            connection.close()

    return pool.submit(run)


def wait_for(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wait_for_poll(number):
    """Until the poll has begun and, a moment later, sleeps."""
    wait_for(lambda: Bot.objects.filter(poll_number=number).exists())
    time.sleep(0.3)


def test_a_waiting_poll_wakes_at_once(committed_telegram):
    telegram = committed_telegram
    chat = telegram.person()
    with ThreadPoolExecutor(1) as pool:
        poll = in_thread(pool, lambda: (telegram.updates(timeout=20), time.monotonic()))
        wait_for_poll(1)
        started = time.monotonic()
        said = telegram.say(chat, "halo")
        updates, ended = poll.result(timeout=10)

    assert ids(updates) == [said["update_id"]]
    assert ended - started < 0.5


def test_a_poll_ends_empty_when_its_time_is_up(committed_telegram):
    started = time.monotonic()

    assert committed_telegram.updates(timeout=1) == []
    assert 0.9 < time.monotonic() - started < 2


def test_the_newer_of_two_polls_wins(committed_telegram):
    telegram = committed_telegram
    with ThreadPoolExecutor(1) as pool:
        older = in_thread(pool, lambda: telegram.refused("getUpdates", timeout=20))
        wait_for_poll(1)

        assert telegram.updates() == []
        assert older.result(timeout=10) == CONFLICT


def test_no_update_turns_up_below_one_already_seen(committed_telegram):
    """A writer has drawn an id and not committed: a reader waits for it instead of passing it."""
    has_drawn, may_commit = threading.Event(), threading.Event()

    def slow_writer():
        with transaction.atomic():
            drawn = push("message", {"text": "slow"})
            has_drawn.set()
            may_commit.wait(5)
        return drawn

    with ThreadPoolExecutor(2) as pool:
        slow = in_thread(pool, slow_writer)
        has_drawn.wait(5)
        quick_id = push("message", {"text": "quick"})
        reader = in_thread(pool, lambda: update_queue.read(10))
        time.sleep(0.2)
        assert not reader.done()
        may_commit.set()
        seen = [update.update_id for update in reader.result(timeout=5)]

    assert seen == [slow.result(), quick_id]


class Hook:
    """A bot's webhook that answers as told: statuses in turn, then 200."""

    def __init__(self) -> None:
        self.requests: list[tuple[str | None, dict]] = []
        self.statuses: list[int] = []
        self.reply = b""
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.requests.append((self.headers[webhook.SECRET_HEADER], body))
                self.send_response(hook.statuses.pop(0) if hook.statuses else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(hook.reply)))
                self.end_headers()
                self.wfile.write(hook.reply)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def hook(committed_telegram, monkeypatch) -> Iterator[Hook]:
    monkeypatch.setattr(webhook, "_LINGER", 0.2)
    monkeypatch.setattr(webhook, "FIRST_RETRY", 0.02)
    running = Hook()
    yield running
    committed_telegram.ok("deleteWebhook", drop_pending_updates=True)
    wait_for(lambda: webhook._thread is None)
    running.server.shutdown()
    running.server.server_close()


def test_a_webhook_gets_updates_in_order_with_its_secret(committed_telegram, hook):
    telegram = committed_telegram
    chat = telegram.person()
    waiting = telegram.say(chat, "before")["update_id"]
    telegram.ok("setWebhook", url=hook.url, secret_token="s-e_c")

    sent = [waiting, *(telegram.say(chat, str(n))["update_id"] for n in range(5))]
    wait_for(lambda: len(hook.requests) == 6)

    assert ids(body for _, body in hook.requests) == sent
    assert {secret for secret, _ in hook.requests} == {"s-e_c"}
    wait_for(lambda: telegram.ok("getWebhookInfo")["pending_update_count"] == 0)
    assert "last_error_message" not in telegram.ok("getWebhookInfo")


def test_a_refused_update_is_sent_again_before_the_next(committed_telegram, hook):
    telegram = committed_telegram
    chat = telegram.person()
    hook.statuses = [500, 403]
    telegram.ok("setWebhook", url=hook.url)

    first, second = (telegram.say(chat, text)["update_id"] for text in "ab")
    wait_for(lambda: len(hook.requests) == 4)

    assert ids(body for _, body in hook.requests) == [first, first, first, second]
    info = telegram.ok("getWebhookInfo")
    assert info["last_error_message"] == "Wrong response from the webhook: 403 Forbidden"
    assert info["last_error_date"]


def test_updates_wait_for_a_webhook_that_is_down(committed_telegram, hook):
    telegram = committed_telegram
    chat = telegram.person()
    telegram.ok("setWebhook", url="http://127.0.0.1:1/hook")
    said = telegram.say(chat, "a")["update_id"]
    wait_for(lambda: "last_error_message" in telegram.ok("getWebhookInfo"))
    info = telegram.ok("getWebhookInfo")
    assert (info["pending_update_count"], info["last_error_message"]) == (1, "Connection refused")

    telegram.ok("setWebhook", url=hook.url)
    wait_for(lambda: hook.requests)

    assert hook.requests[0][1]["update_id"] == said


def test_a_bot_may_call_a_method_in_its_answer(committed_telegram, hook):
    telegram = committed_telegram
    chat = telegram.person()
    answer = {"method": "sendMessage", "chat_id": chat, "text": "pong"}
    hook.reply = json.dumps(answer).encode()
    telegram.ok("setWebhook", url=hook.url)

    telegram.say(chat, "ping")

    wait_for(lambda: [row["text"] for row in telegram.messages(chat)] == ["ping", "pong"])
