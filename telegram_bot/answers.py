"""Every pressed button is answered, once and in time, whatever its view does."""

import asyncio
import contextlib
import logging
from types import TracebackType
from typing import Self

from telegram import CallbackQuery
from telegram.error import RetryAfter, TelegramError

from telegram_bot.client import seconds_of

logger = logging.getLogger(__name__)

# Telegram lets a button spin until it is answered; two seconds are promised.
ANSWER_AFTER = 1.5
NOTICE_LENGTH = 200
MOST_WAIT = 5.0


class CallbackAnswer:
    """The one answer of a callback query: given on leaving at the latest, or when time is up.

    For an update without a callback query there is nothing to answer and all of it does nothing.
    """

    def __init__(self, query: CallbackQuery | None, *, after: float = ANSWER_AFTER) -> None:
        self._query = query
        self._after = after
        self._deadline: asyncio.Task[None] | None = None
        self._sending: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._query is not None:
            self._deadline = asyncio.create_task(self._answer_when_time_is_up())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.give()
        if self._deadline is not None:
            self._deadline.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._deadline
        if self._sending is not None:
            await self._sending

    @property
    def is_given(self) -> bool:
        return self._sending is not None

    def give(self, notice: str = "", *, is_alert: bool = False) -> bool:
        """Start to answer, beside whatever else is sent; False: it was answered before."""
        if self._query is None or self.is_given:
            return False
        self._sending = asyncio.create_task(self._send(self._query, notice, is_alert))
        return True

    async def _answer_when_time_is_up(self) -> None:
        await asyncio.sleep(self._after)
        self.give()

    async def _answer(self, query: CallbackQuery, notice: str, is_alert: bool) -> None:
        """Answer, once more when Telegram asks for a short pause: the button still spins."""
        try:
            await query.answer(notice or None, show_alert=is_alert)
        except RetryAfter as error:
            if seconds_of(error) > MOST_WAIT:
                raise
            await asyncio.sleep(seconds_of(error))
            await query.answer(notice or None, show_alert=is_alert)

    async def _send(self, query: CallbackQuery, notice: str, is_alert: bool) -> None:
        try:
            await self._answer(query, notice[:NOTICE_LENGTH], is_alert)
        except TelegramError as error:
            # Too old, or Telegram is away: nobody is waiting for it any more.
            logger.info("callback not answered: %s", error, extra={"callback": query.id})
