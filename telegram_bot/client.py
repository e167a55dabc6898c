"""Builds what talks to Telegram, from the settings."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from django.conf import settings
from telegram import Bot
from telegram.error import BadRequest, NetworkError, RetryAfter, TimedOut
from telegram.ext import BaseRateLimiter
from telegram.request import BaseRequest, HTTPXRequest

# PTB 22.2+: periods as timedelta, as it warns that seconds will go.
os.environ.setdefault("PTB_TIMEDELTA", "true")

JSONDict = dict[str, Any]
Answer = bool | JSONDict | list[JSONDict]


def build_request(*, connections: int = 64, read_timeout: float = 10.0) -> BaseRequest:
    return HTTPXRequest(
        connection_pool_size=connections,
        connect_timeout=5.0,
        read_timeout=read_timeout,
        write_timeout=10.0,
        pool_timeout=5.0,
    )


def build_bot(request: BaseRequest) -> Bot:
    """Return a bot for sending; it needs no initialize(), which would ask getMe every time."""
    return Bot(
        settings.TELEGRAM_BOT_TOKEN,
        base_url=settings.TELEGRAM_API_BASE_URL,
        base_file_url=settings.TELEGRAM_FILE_BASE_URL,
        request=request,
        get_updates_request=request,
    )


def bot_id() -> int:
    """Return the bot's Telegram id: update ids are counted per bot."""
    return int(settings.TELEGRAM_BOT_TOKEN.partition(":")[0])


class Patience(BaseRateLimiter[None]):
    """Asks again when Telegram says when, or when the request surely never reached it.

    For answers to people, who wait; the outbox has its own times. A request that timed out may
    have had its effect: only what may safely happen twice is repeated then.
    """

    most_wait = 20.0
    _repeatable = ("edit", "delete", "answer", "set", "getMe")

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Nothing to give back."""

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Answer]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],  # noqa: ARG002 (the interface of PTB)
        rate_limit_args: None,  # noqa: ARG002
    ) -> Answer:
        waited, is_repeated = 0.0, False
        while True:
            try:
                return await callback(*args, **kwargs)
            except RetryAfter as error:
                # Refused without an effect: as often as it takes, while somebody still waits.
                pause = seconds_of(error)
                waited += pause
                if waited > self.most_wait or endpoint == "answerCallbackQuery":
                    raise
            except NetworkError as error:
                if is_repeated or isinstance(error, BadRequest):
                    raise
                if not self._may_repeat(error, endpoint):
                    raise
                is_repeated, pause = True, 0.2
            await asyncio.sleep(pause)

    def _may_repeat(self, error: NetworkError, endpoint: str) -> bool:
        if endpoint.startswith(self._repeatable):
            return True
        return not isinstance(error, TimedOut) and "ConnectError" in error.message


def seconds_of(error: RetryAfter) -> float:
    """Return the pause Telegram asks for."""
    pause = error.retry_after
    return pause.total_seconds() if isinstance(pause, timedelta) else float(pause)
