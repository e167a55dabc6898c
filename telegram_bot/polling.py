"""Fetches updates and confirms them once they are handled, so that a crash loses none.

The library's own polling confirms a batch with the next request, while views still run. Here the
offset stays at the oldest update under way; what comes again meanwhile is known and left out.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from telegram import Bot, Update
from telegram.error import InvalidToken, RetryAfter, TelegramError

from telegram_bot.client import seconds_of

logger = logging.getLogger(__name__)

LONG_POLL_SECONDS = 10
# Views take a few hundredths of a second: most updates are done before the next request.
GRACE_SECONDS = 0.1
# Telegram hands out 100 unconfirmed updates at most: one that hangs must not hold up the rest,
# and in a rush, buttons that spin matter more than what a crash just then would lose.
MOST_SECONDS = 10.0
MOST_UNCONFIRMED = 50
MOST_PAUSE = 15.0


@dataclass
class Poller:
    bot: Bot
    handle: Callable[[Update], Awaitable[None]]
    allowed_updates: list[str]
    _under_way: dict[int, tuple[float, "asyncio.Task[None]"]] = field(default_factory=dict)
    _next_id: int = 0

    async def run(self) -> None:
        """Poll until cancelled; raise InvalidToken when Telegram withdraws the token."""
        pause = 0.5
        while True:
            try:
                await self.turn()
                pause = 0.5
            except InvalidToken:
                raise
            except RetryAfter as error:
                await asyncio.sleep(seconds_of(error))
            except TelegramError as error:
                logger.warning("updates not fetched, asking again: %s", error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, MOST_PAUSE)

    async def turn(self) -> None:
        """Fetch once and start what is new."""
        timeout = 0 if self._under_way else LONG_POLL_SECONDS
        updates = await self.bot.get_updates(
            offset=self._offset(), timeout=timeout, allowed_updates=self.allowed_updates
        )
        for update in updates:
            if update.update_id >= self._next_id:
                self._start(update)
        if self._under_way:
            tasks = [task for _, task in self._under_way.values()]
            await asyncio.wait(tasks, timeout=GRACE_SECONDS)

    async def confirm(self) -> None:
        """Tell Telegram what is handled, when nothing more will be fetched."""
        with contextlib.suppress(TelegramError):
            await self.bot.get_updates(offset=self._offset(), timeout=0, limit=1)

    async def finish(self) -> None:
        """Wait for what is under way, however long it takes, and confirm it."""
        while self._under_way:
            await asyncio.wait([task for _, task in self._under_way.values()])
        await self.confirm()

    def _start(self, update: Update) -> None:
        task = asyncio.ensure_future(self.handle(update))
        self._under_way[update.update_id] = (time.monotonic(), task)
        self._next_id = update.update_id + 1
        task.add_done_callback(lambda _: self._under_way.pop(update.update_id, None))

    def _offset(self) -> int | None:
        """Return the oldest update to hear of again: of the newest that are not handled yet."""
        oldest = time.monotonic() - MOST_SECONDS
        waiting = [key for key, (began, _) in self._under_way.items() if began > oldest]
        return min(sorted(waiting)[-MOST_UNCONFIRMED:], default=self._next_id) or None
