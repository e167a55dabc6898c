"""The life of the bot's process: wait for Telegram, serve, give signs of life, stop in time."""

import asyncio
import contextlib
import logging
import os
import signal
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone
from telegram import Update
from telegram.error import InvalidToken, TelegramError

from core.heartbeat import beat
from telegram_bot.application import BotApplication, ThreadRunner, build_application
from telegram_bot.command_menu import publish_commands
from telegram_bot.polling import Poller
from telegram_bot.shell import Runner
from telegram_bot.work import fresh_connections, promote_admins

logger = logging.getLogger(__name__)

ALLOWED_UPDATES = [
    Update.MESSAGE,
    Update.CALLBACK_QUERY,
    Update.MY_CHAT_MEMBER,
    Update.INLINE_QUERY,
]
BEAT_SECONDS = 5.0
MOST_PATIENCE = 15.0
# A supervisor kills what has not stopped after five.
STOP_SECONDS = 4.0
FINISH_SECONDS = 2.5


class TokenRefused(Exception):
    """Telegram does not know this token. The error of the library would print it."""


def run_bot(*, by_webhook: bool) -> None:
    """Run until SIGTERM or SIGINT; raise TokenRefused."""
    runner = ThreadRunner()
    is_clean = asyncio.run(_run(runner, by_webhook=by_webhook))
    runner.close()
    logging.shutdown()
    if not is_clean:
        # A view still hangs in its thread, and Python would wait for it before it exits.
        os._exit(1)


async def _run(runner: ThreadRunner, *, by_webhook: bool) -> bool:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    application = build_application(run=runner)
    serving = asyncio.create_task(_serve(application, runner, by_webhook=by_webhook))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if serving.done():
        serving.result()
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving
    return await _stop(application)


async def _serve(application: BotApplication, run: Runner, *, by_webhook: bool) -> None:
    """Start and then beat until cancelled."""
    await _connect(application, by_webhook=by_webhook)
    await run(partial(_prepare))
    await application.start()
    poller = None if by_webhook else build_poller(application)
    if poller is None:
        await _listen(application)
    logger.info("bot is ready", extra={"mode": "webhook" if by_webhook else "polling"})
    commands = asyncio.create_task(_publish(application))
    try:
        await asyncio.gather(_beat(run), *([poller.run()] if poller else []))
    except InvalidToken:
        raise TokenRefused from None
    finally:
        commands.cancel()
        if poller is not None:
            await _finish(poller)


async def _connect(application: BotApplication, *, by_webhook: bool) -> None:
    """Ask Telegram who we are until it answers: the stand-in starts at the same time as we do.

    A webhook of an earlier time is taken back: beside it Telegram refuses every poll. What waits
    there is kept.
    """
    pause = 0.25
    while True:
        try:
            await application.initialize()
            if not by_webhook:
                await application.bot.delete_webhook()
        except InvalidToken:
            raise TokenRefused from None
        except TelegramError as error:
            logger.warning("Telegram is not there yet, asking again: %s", error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, MOST_PATIENCE)
        else:
            return


def _prepare() -> None:
    with fresh_connections():
        promote_admins(timezone.now())


def build_poller(application: BotApplication) -> Poller:
    return Poller(application.bot, application.process_update, ALLOWED_UPDATES)


async def _finish(poller: Poller) -> None:
    """Let what is under way end; what does not is fetched again by the next start."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FINISH_SECONDS):
            await poller.finish()


async def _listen(application: BotApplication) -> None:
    assert application.updater is not None  # noqa: S101 (built with one)
    await application.updater.start_webhook(
        listen=settings.TELEGRAM_WEBHOOK_HOST,
        port=settings.TELEGRAM_WEBHOOK_PORT,
        url_path=urlsplit(settings.TELEGRAM_WEBHOOK_URL).path,
        webhook_url=settings.TELEGRAM_WEBHOOK_URL,
        secret_token=settings.TELEGRAM_WEBHOOK_SECRET,
        allowed_updates=ALLOWED_UPDATES,
        drop_pending_updates=False,
        bootstrap_retries=-1,
    )


async def _publish(application: BotApplication) -> None:
    try:
        await publish_commands(application.bot)
    except TelegramError as error:
        logger.warning("command menu not published: %s", error)


async def _beat(run: Runner) -> None:
    while True:
        try:
            await run(_write_beat)
        except DatabaseError as error:
            logger.warning("sign of life not written: %s", error)
        await asyncio.sleep(BEAT_SECONDS)


def _write_beat() -> None:
    with fresh_connections():
        beat(name="bot", now=timezone.now())


async def _stop(application: BotApplication) -> bool:
    """Finish what was begun; False: it took too long."""
    # It would print a traceback when Telegram went away just before us.
    logging.getLogger("telegram.ext.Updater").setLevel(logging.CRITICAL)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            if application.updater is not None and application.updater.running:
                await application.updater.stop()
            if application.running:
                await application.stop()
            await application.shutdown()
    except TimeoutError:
        logger.warning("stopped with work unfinished")
        return False
    logger.info("bot stopped")
    return True
