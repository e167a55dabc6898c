"""Updates of one person one at a time and in order; of different people side by side."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection
from telegram import Update

from telegram_bot import work
from telegram_bot.application import ThreadRunner, build_application
from telegram_bot.models import ProcessedUpdate
from telegram_bot.requests import BotRequest
from telegram_bot.screens import Screen
from tests.bot.harness import BotHarness, Chat


class Views:
    """Records who is inside a view; `meet` is called there."""

    def __init__(self, meet: Callable[[BotRequest], object] = lambda request: None) -> None:
        self.order: list[str] = []
        self.together = 0
        self._inside = 0
        self._lock = threading.Lock()
        self._meet = meet

    def dispatch(self, request: BotRequest) -> Screen | None:
        with self._lock:
            self._inside += 1
            self.together = max(self.together, self._inside)
            self.order.append(request.text)
        try:
            self._meet(request)
        finally:
            with self._lock:
                self._inside -= 1
        return None


class ClosingRunner(ThreadRunner):
    """Leaves no connection behind in its threads, so that the database can be flushed."""

    def __call__(self, function: Callable[[], Any]) -> Any:
        def closing() -> Any:
            try:
                return function()
            finally:
                connection.close()

        return super().__call__(closing)


def play(views: Views, batches: list[list[Update]], harness: BotHarness) -> None:
    """Give each batch to a replica of its own, all at the same time."""
    runner = ClosingRunner(threads=8)
    replicas = [
        build_application(run=runner, dispatch=views.dispatch, request=harness.request)
        for _ in batches
    ]

    async def all_at_once() -> None:
        for replica in replicas:
            await replica.initialize()
        pairs = zip(replicas, batches, strict=True)
        tasks = [replica.process_update(u) for replica, batch in pairs for u in batch]
        await asyncio.gather(*tasks)

    async_to_sync(all_at_once)()
    runner.close()


def typed(harness: BotHarness, chat: Chat, *texts: str) -> list[Update]:
    for text in texts:
        body = {"from_id": chat.user_id, "text": text}
        harness.driver.post(f"/sandbox/api/chats/{chat.id}/messages/", body)
    return harness.fetch_updates()


def test_one_persons_updates_are_handled_one_by_one_in_order(
    committed_shop_bot: BotHarness,
) -> None:
    views = Views()
    texts = [str(number) for number in range(12)]
    updates = typed(committed_shop_bot, committed_shop_bot.person("Sari"), *texts)
    play(views, [updates], committed_shop_bot)
    assert views.order == texts
    assert views.together == 1
    assert ProcessedUpdate.objects.exclude(done_at=None).count() == 12


def test_different_people_are_served_side_by_side(committed_shop_bot: BotHarness) -> None:
    both = threading.Barrier(2, timeout=10)
    views = Views(lambda request: both.wait())
    sari, budi = committed_shop_bot.person("Sari"), committed_shop_bot.person("Budi")
    updates = typed(committed_shop_bot, sari, "a") + typed(committed_shop_bot, budi, "b")
    play(views, [updates], committed_shop_bot)
    assert views.together == 2


def two_replicas(harness: BotHarness) -> Views:
    """One person's two updates, one at each of two replicas; each view waits for the other's."""
    both = threading.Barrier(2)

    def wait_for_the_other(request: BotRequest) -> None:
        try:
            both.wait(timeout=1)
        except threading.BrokenBarrierError:
            both.reset()

    views = Views(wait_for_the_other)
    first, second = typed(harness, harness.person("Sari"), "a", "b")
    play(views, [[first], [second]], harness)
    assert sorted(views.order) == ["a", "b"]
    return views


def test_two_replicas_handle_one_person_one_at_a_time(committed_shop_bot: BotHarness) -> None:
    assert two_replicas(committed_shop_bot).together == 1


def test_control_without_the_lock_two_replicas_overlap(
    committed_shop_bot: BotHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "person_lock", lambda person_id: nullcontext())
    assert two_replicas(committed_shop_bot).together == 2


def test_two_replicas_handle_the_same_update_once(committed_shop_bot: BotHarness) -> None:
    views = Views()
    updates = typed(committed_shop_bot, committed_shop_bot.person("Sari"), "a")
    play(views, [updates, updates], committed_shop_bot)
    assert views.order == ["a"]


def in_one_thread(
    harness: BotHarness,
    views: Views,
    updates: list[Update],
    between: Callable[[], object] = lambda: None,
) -> None:
    """Handle the updates one after the other in the same thread, with the same connection."""
    runner = ThreadRunner(threads=1)
    application = build_application(run=runner, dispatch=views.dispatch, request=harness.request)

    async def one_by_one() -> None:
        await application.initialize()
        for update in updates:
            await application.process_update(update)
            await sync_to_async(between)()
        await runner(lambda: connection.close())  # noqa: PLW0108 (the thread's own)

    async_to_sync(one_by_one)()
    runner.close()


def cut_off(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_a_connection_that_drops_within_a_view_costs_that_update_only(
    committed_shop_bot: BotHarness,
) -> None:
    views = Views(lambda request: cut_off(backend()) if request.text == "a" else None)
    sari = committed_shop_bot.person("Sari")
    in_one_thread(committed_shop_bot, views, typed(committed_shop_bot, sari, "a", "b"))
    assert views.order == ["a", "b"]
    assert len(sari.messages) == 1  # the apology for the first


def test_a_connection_that_dropped_in_between_costs_nothing(
    committed_shop_bot: BotHarness,
) -> None:
    pids: list[int] = []
    views = Views(lambda request: pids.append(backend()))
    sari = committed_shop_bot.person("Sari")
    updates = typed(committed_shop_bot, sari, "a", "b")
    in_one_thread(committed_shop_bot, views, updates, between=lambda: cut_off(pids[-1]))
    assert views.order == ["a", "b"]
    assert pids[0] != pids[1]
    assert sari.messages == []
