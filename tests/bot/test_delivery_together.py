"""Deliverers at the same time: each row goes out once."""

import contextlib
import threading
from collections import Counter
from typing import Any

import pytest
from django.db import connection, transaction
from telegram.request import BaseRequest

from core.models import OutboxMessage, OutboxQuerySet, OutboxState
from core.outbox import enqueue_message
from telegram_bot import client, delivery
from telegram_bot.delivery import DeliveryReport, deliver_outbox
from telegram_bot.messages import OutgoingMessage
from telegram_bot.screens import Screen

SENT = (
    b'{"ok": true, "result": {"message_id": 9, "date": 1, "chat": {"id": 5, "type": "private"}}}'
)


class Telegram(BaseRequest):
    """Counts what was sent."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self.order: dict[str, list[str]] = {}
        self.lock = threading.Lock()

    @property
    def read_timeout(self) -> float | None:
        return 5.0

    async def initialize(self) -> None:
        pass

    async def shutdown(self) -> None:
        pass

    async def do_request(
        self, url: str, method: str, request_data: Any = None, *args: Any, **kw: Any
    ) -> tuple[int, bytes]:
        fields = request_data.json_parameters
        with self.lock:
            self.sent[fields["text"]] += 1
            self.order.setdefault(fields["chat_id"], []).append(fields["text"])
        return 200, SENT


@pytest.fixture
def telegram(transactional_db: Any, monkeypatch: pytest.MonkeyPatch) -> Telegram:
    telegram = Telegram()

    def render(row: OutboxMessage, customer: Any) -> OutgoingMessage:
        return OutgoingMessage(Screen(f"{row.recipient}:{row.references['n']}"))

    monkeypatch.setattr(delivery, "render_message", render)
    monkeypatch.setattr(client, "build_request", lambda **_: telegram)
    return telegram


def write_rows(chats: int, each: int) -> None:
    with transaction.atomic():
        for n in range(each):
            for chat in range(1, chats + 1):
                key = f"{chat}:{n}"
                enqueue_message(recipient=chat, kind="t", references={"n": n}, dedupe_key=key)


def deliver_at_once(deliverers: int) -> list[DeliveryReport]:
    start = threading.Barrier(deliverers)
    reports: list[DeliveryReport] = []

    def work() -> None:
        try:
            start.wait(timeout=10)
            reports.append(deliver_outbox(limit=3))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(deliverers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return reports


def test_deliverers_at_once_send_every_message_once(telegram: Telegram) -> None:
    write_rows(chats=6, each=4)
    reports = deliver_at_once(4)
    assert sum(report.sent for report in reports) == 24
    assert set(telegram.sent.values()) == {1}
    assert OutboxMessage.objects.filter(state=OutboxState.SENT).count() == 24
    for chat, texts in telegram.order.items():
        assert texts == [f"{chat}:{n}" for n in range(4)]


def test_control_without_the_claim_messages_go_out_twice(
    telegram: Telegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    meet = threading.Barrier(4, timeout=10)

    def take(self: OutboxQuerySet, *, now: Any, limit: int, lease: Any) -> list[OutboxMessage]:
        rows = list(self.due(now)[:limit])
        if rows:
            with contextlib.suppress(threading.BrokenBarrierError):
                meet.wait(timeout=1)
        return rows

    monkeypatch.setattr(type(OutboxMessage.objects), "claim", take)
    write_rows(chats=3, each=1)
    deliver_at_once(4)
    assert max(telegram.sent.values()) > 1
