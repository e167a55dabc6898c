"""Puts the bot together: python-telegram-bot's Application around our shell."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.conf import settings
from telegram import Update
from telegram.ext import Application, ApplicationBuilder, TypeHandler
from telegram.request import BaseRequest

from telegram_bot.answers import ANSWER_AFTER
from telegram_bot.client import Patience, build_request
from telegram_bot.dispatch import dispatch as dispatch_request
from telegram_bot.shell import Runner, Shell
from telegram_bot.work import Dispatch

VIEW_THREADS = 8
# All people's updates together; what one person may have waiting is bounded by their line.
UPDATES_IN_FLIGHT = 10_000
T = TypeVar("T")
BotApplication = Application[Any, Any, Any, Any, Any, Any]


class ThreadRunner:
    """Views get threads of their own: asgiref's would be one thread for all of them."""

    def __init__(self, threads: int = VIEW_THREADS) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="view")

    def __call__(self, function: Callable[[], T]) -> Awaitable[T]:
        return asyncio.get_running_loop().run_in_executor(self._pool, function)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def build_application(
    *,
    run: Runner,
    dispatch: Dispatch = dispatch_request,
    request: BaseRequest | None = None,
    answer_after: float = ANSWER_AFTER,
) -> BotApplication:
    """Return the application; `run` takes the views to their thread, `request` replaces HTTP.

    With a `request` of its own it has no updater: its owner hands it the updates.
    """
    builder = (
        ApplicationBuilder()
        .token(settings.TELEGRAM_BOT_TOKEN)
        .base_url(settings.TELEGRAM_API_BASE_URL)
        .base_file_url(settings.TELEGRAM_FILE_BASE_URL)
        .concurrent_updates(UPDATES_IN_FLIGHT)
        .rate_limiter(Patience())
        .request(request or build_request())
        .get_updates_request(request or build_request(connections=2))
    )
    if request is not None:
        builder = builder.updater(None)
    application: BotApplication = builder.build()
    shell = Shell(dispatch=dispatch, run=run, answer_after=answer_after)
    application.add_handler(TypeHandler(Update, shell.receive))
    return application
