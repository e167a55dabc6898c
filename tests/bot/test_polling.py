"""The poller against the strict stand-in: what is confirmed, what comes again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from telegram import Update
from telegram.error import InvalidToken, NetworkError, RetryAfter

from telegram_bot import polling
from telegram_bot.polling import Poller
from telegram_bot.running import ALLOWED_UPDATES
from tests.bot.harness import BotHarness, Chat

Handle = Callable[[Update], Awaitable[None]]


@pytest.fixture
def sari(shop_bot: BotHarness, monkeypatch: pytest.MonkeyPatch) -> Chat:
    monkeypatch.setattr(polling, "LONG_POLL_SECONDS", 0)
    return shop_bot.person()


def poller(bot: BotHarness, handle: Handle) -> Poller:
    return Poller(bot.application.bot, handle, ALLOWED_UPDATES)


def write(sari: Chat, *texts: str) -> None:
    path = f"/sandbox/api/chats/{sari.id}/messages/"
    for text in texts:
        sari.bot.driver.post(path, {"from_id": sari.id, "text": text})


def waiting(bot: BotHarness) -> list[str]:
    """Return what Telegram would hand out to a bot that starts now."""
    path = f"/sandbox/telegram/bot{settings.TELEGRAM_BOT_TOKEN}/getUpdates"
    found = bot.driver.post(path, {"timeout": 0})["result"]
    return [update["message"]["text"] for update in found]


def test_what_is_handled_is_confirmed_by_the_next_request(
    shop_bot: BotHarness, sari: Chat
) -> None:
    seen: list[str] = []

    async def handle(update: Update) -> None:
        seen.append(update.message.text)

    async def run() -> None:
        under_test = poller(shop_bot, handle)
        await under_test.turn()
        await under_test.turn()

    write(sari, "one", "two")
    async_to_sync(run)()
    assert seen == ["one", "two"]
    assert waiting(shop_bot) == []


def test_what_is_under_way_in_a_crash_comes_again(shop_bot: BotHarness, sari: Chat) -> None:
    """Killed in mid-update: the first was done, the second was not."""
    seen: list[str] = []

    async def handle(update: Update) -> None:
        seen.append(update.message.text)
        if update.message.text == "two":
            await asyncio.Event().wait()

    async def run() -> None:
        under_test = poller(shop_bot, handle)
        for _ in range(3):
            await under_test.turn()

    write(sari, "one", "two", "three")
    async_to_sync(run)()
    assert seen == ["one", "two", "three"], "and nothing is handled twice by one bot"
    assert waiting(shop_bot) == ["two", "three"]


def test_one_that_hangs_does_not_hold_up_the_rest_for_ever(
    shop_bot: BotHarness, sari: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(_update: Update) -> None:
        await asyncio.Event().wait()

    async def run() -> None:
        under_test = poller(shop_bot, hang)
        await under_test.turn()
        monkeypatch.setattr(polling, "MOST_SECONDS", 0.0)
        await under_test.turn()

    write(sari, "one")
    async_to_sync(run)()
    assert waiting(shop_bot) == []


def test_in_a_rush_new_updates_are_fetched_before_the_old_ones_are_done(
    shop_bot: BotHarness, sari: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "MOST_UNCONFIRMED", 2)
    seen: list[str] = []

    async def hang(update: Update) -> None:
        seen.append(update.message.text)
        await asyncio.Event().wait()

    async def run() -> None:
        under_test = poller(shop_bot, hang)
        for _ in range(3):
            await under_test.turn()

    write(sari, "one", "two", "three", "four")
    async_to_sync(run)()
    assert seen == ["one", "two", "three", "four"]
    assert waiting(shop_bot) == ["three", "four"]


def test_finishing_waits_for_what_is_under_way_and_confirms_it(
    shop_bot: BotHarness, sari: Chat
) -> None:
    async def slow(_update: Update) -> None:
        await asyncio.sleep(0.2)

    async def run() -> None:
        under_test = poller(shop_bot, slow)
        await under_test.turn()
        await under_test.finish()

    write(sari, "one")
    async_to_sync(run)()
    assert waiting(shop_bot) == []


def test_trouble_is_waited_out_and_a_withdrawn_token_ends_it(
    shop_bot: BotHarness, sari: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    troubles: list[Exception] = [
        NetworkError("away"),
        NetworkError("away"),
        RetryAfter(7),
        InvalidToken("withdrawn"),
    ]
    waits: list[float] = []

    async def fail(*_arguments: Any, **_options: Any) -> None:
        raise troubles.pop(0)

    async def note(seconds: float) -> None:
        waits.append(seconds)

    async def ignore(_update: Update) -> None:
        return

    under_test = poller(shop_bot, ignore)
    monkeypatch.setattr(under_test, "turn", fail)
    monkeypatch.setattr(polling.asyncio, "sleep", note)
    with pytest.raises(InvalidToken):
        async_to_sync(under_test.run)()
    assert waits == [0.5, 1.0, 7]
