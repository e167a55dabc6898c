"""The bot's process: it waits for Telegram, gives signs of life, stops in time."""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.management import CommandError, call_command
from telegram.error import InvalidToken, NetworkError

from core.models import Heartbeat
from telegram_bot import running
from telegram_bot.command_menu import commands_in
from telegram_bot.work import promote_admins
from tests.bot.harness import BotHarness
from tests.bot.in_process import InProcessRequest, on_test_thread
from tests.world import World


def test_it_waits_until_telegram_is_there(
    db: Any, request_in_process: InProcessRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(running.asyncio, "sleep", note)
    application = running.build_application(run=on_test_thread, request=request_in_process)
    error = NetworkError("refused")
    request_in_process.break_next("getMe", error, times=20)
    async_to_sync(running._connect)(application, by_webhook=False)
    assert application.bot.username == settings.BOT_USERNAME
    pauses = [wait for wait in waits if wait != 0.2]
    assert pauses[:4] == [0.25, 0.5, 1.0, 2.0]
    assert max(pauses) == running.MOST_PATIENCE or len(pauses) < 8


def test_a_refused_token_is_said_without_the_token(
    db: Any, request_in_process: InProcessRequest
) -> None:
    application = running.build_application(run=on_test_thread, request=request_in_process)
    request_in_process.break_next("getMe", InvalidToken(settings.TELEGRAM_BOT_TOKEN))
    with pytest.raises(running.TokenRefused) as refused:
        async_to_sync(running._connect)(application, by_webhook=False)
    assert settings.TELEGRAM_BOT_TOKEN not in str(refused.value)


@pytest.mark.parametrize(
    ("by_webhook", "left"), [(False, ""), (True, "https://shop.example/hook")]
)
def test_polling_takes_back_the_webhook_of_an_earlier_time(
    db: Any, request_in_process: InProcessRequest, by_webhook: bool, left: str
) -> None:
    application = running.build_application(run=on_test_thread, request=request_in_process)

    async def start() -> str:
        await application.initialize()
        await application.bot.set_webhook("https://shop.example/hook")
        await running._connect(application, by_webhook=by_webhook)
        return (await application.bot.get_webhook_info()).url

    assert async_to_sync(start)() == left


def test_the_command_menu_is_published_in_every_language(shop_bot: BotHarness) -> None:
    async_to_sync(running._publish)(shop_bot.application)
    assert len(shop_bot.calls("setMyCommands")) == 1 + len(settings.LANGUAGES)
    assert "start" in [command.command for command in commands_in("id")]


def test_signs_of_life_are_written(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stop(seconds: float) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(running.asyncio, "sleep", stop)
    with pytest.raises(asyncio.CancelledError):
        async_to_sync(running._beat)(on_test_thread)
    assert Heartbeat.objects.filter(name="bot").exists()


def test_known_customers_of_the_setting_become_admins(world: World, settings: Any) -> None:
    rina, sari = world.customer(name="Rina"), world.customer()
    settings.ADMIN_USER_IDS = [rina.pk, 1]
    promote_admins(world.now)
    rina.refresh_from_db()
    sari.refresh_from_db()
    assert (rina.is_admin, sari.is_admin) == (True, False)


def test_a_webhook_without_a_secret_is_refused(settings: Any) -> None:
    settings.TELEGRAM_WEBHOOK_SECRET = ""
    with pytest.raises(CommandError, match="TELEGRAM_WEBHOOK_SECRET"):
        call_command("runbot", webhook=True)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_once_while_it_still_waits_for_telegram(number: signal.Signals) -> None:
    root = Path(settings.BASE_DIR)
    process = subprocess.Popen(
        [sys.executable, "manage.py", "runbot"],
        cwd=root,
        env=running.os.environ | {"TELEGRAM_API_BASE_URL": "http://127.0.0.1:1/bot"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "not there yet" in line:
            break
    started = time.monotonic()
    process.send_signal(number)
    process.stderr.close()
    assert process.wait(timeout=5) == 0
    assert time.monotonic() - started < 5


def test_a_view_that_hangs_does_not_hold_up_the_stop(
    db: Any, request_in_process: InProcessRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "STOP_SECONDS", 0.1)
    application = running.build_application(run=on_test_thread, request=request_in_process)

    async def hang() -> None:
        await asyncio.Event().wait()

    async def stop_while_busy() -> bool:
        await application.initialize()
        await application.start()
        application.create_task(hang())
        return await running._stop(application)

    assert async_to_sync(stop_while_busy)() is False
