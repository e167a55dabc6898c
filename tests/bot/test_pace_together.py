"""Deliverers at once against Telegram's own limits, in real time: nobody is ever told to wait."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from django.conf import settings as shop_settings
from django.db import connection, transaction

from core.models import OutboxMessage, OutboxState
from core.outbox import enqueue_message
from sandbox.telegram.models import Chat, RecordedCall
from telegram_bot import client, delivery, pace
from telegram_bot.delivery import deliver_outbox
from telegram_bot.messages import OutgoingMessage
from telegram_bot.screens import Screen
from tests.bot.in_process import InProcessRequest

BUSY, GROUP, FIRST_OF_MANY = 5001, -5002, 6001
PATIENCE = 60.0


@pytest.fixture(autouse=True)
def telegram(transactional_db: Any, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """The stand-in with its limits on; the outbox says who gets its how-manyeth message."""

    def render(row: OutboxMessage, customer: Any) -> OutgoingMessage:
        return OutgoingMessage(Screen(f"{row.recipient}:{row.references['n']}"))

    settings.SANDBOX_LIMITS = True
    settings.TELEGRAM_PACE = True
    monkeypatch.setattr(pace, "_outage", pace._Outage())
    monkeypatch.setattr(delivery, "render_message", render)
    monkeypatch.setattr(client, "build_request", lambda **_: InProcessRequest())


@pytest.fixture
def store() -> Iterator[redis.Redis]:
    store = redis.Redis.from_url(shop_settings.REDIS_URL)
    store.flushdb()
    yield store
    store.flushdb()
    store.close()


def write(wanted: Counter[int]) -> None:
    with transaction.atomic():
        for chat_id, count in wanted.items():
            kind = "group" if chat_id < 0 else "private"
            Chat.objects.create(pk=chat_id, kind=kind, first_name="x")
            for n in range(count):
                key = f"{chat_id}:{n}"
                enqueue_message(recipient=chat_id, kind="t", references={"n": n}, dedupe_key=key)


def deliver_at_once(*, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Two deliverers until everything is sent, as jobs and sweep would."""
    ends_at = time.monotonic() + PATIENCE

    def work() -> None:
        try:
            while OutboxMessage.objects.pending().exists() and time.monotonic() < ends_at:
                deliver_outbox()
                time.sleep(0.05)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    meanwhile()
    for thread in threads:
        thread.join(timeout=PATIENCE)


def told_to_wait() -> int:
    return RecordedCall.objects.filter(error_code=429).count()


def sent() -> Counter[int | None]:
    calls = RecordedCall.objects.filter(is_send=True, ok=True)
    return Counter(calls.values_list("chat_id", flat=True))


@pytest.mark.slow
def test_nobody_is_told_to_wait_even_when_redis_forgets(store: redis.Redis) -> None:
    many = {FIRST_OF_MANY + n: 1 for n in range(50)}
    wanted = Counter({BUSY: 7, GROUP: 2} | many)
    write(wanted)

    def forget() -> None:
        while sum(sent().values()) < 20:
            time.sleep(0.02)
        store.flushdb()

    deliver_at_once(meanwhile=forget)
    assert sent() == wanted
    assert told_to_wait() == 0
    assert OutboxMessage.objects.filter(state=OutboxState.SENT).count() == wanted.total()
    assert set(OutboxMessage.objects.values_list("attempts", flat=True)) == {1}


@pytest.mark.slow
def test_nobody_is_told_to_wait_without_redis(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    wanted = Counter({BUSY: 6} | {FIRST_OF_MANY + n: 1 for n in range(12)})
    write(wanted)
    deliver_at_once()
    assert sent() == wanted
    assert told_to_wait() == 0


def test_control_without_the_buckets_telegram_refuses(settings: Any) -> None:
    settings.TELEGRAM_PACE = False
    write(Counter({BUSY: 7}))
    deliver_outbox()
    assert told_to_wait() == 1
    assert sent()[BUSY] == 5
