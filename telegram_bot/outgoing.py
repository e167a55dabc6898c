"""Sends a batch of rendered outbox rows: different chats side by side, nothing of the database."""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime

from telegram import Bot
from telegram.error import RetryAfter, TelegramError

from core.models import OutboxMessage
from telegram_bot import client
from telegram_bot.message_parts import MessageIds, OutgoingMessage
from telegram_bot.overlong import with_long_text_as_file
from telegram_bot.pace import wait_for_turn
from telegram_bot.removal import take_away
from telegram_bot.screens import NOTICE_ONLY
from telegram_bot.sender import Progress, send_parts

logger = logging.getLogger(__name__)

# Shorter than the lease of a row, so that nobody else takes up what is still under way.
SEND_SECONDS = 45
NOTHING_YET = OutgoingMessage(NOTICE_ONLY)


@dataclass
class Delivery:
    """One row on its way: what to send, how far it got, why it stopped.

    `standing` are messages it could not take away just now; `now` is the time travelled to.
    """

    row: OutboxMessage
    outgoing: OutgoingMessage = NOTHING_YET
    progress: Progress = field(default_factory=Progress)
    error: Exception | None = None
    standing: MessageIds = ()
    has_cleared: bool = False
    now: datetime | None = None

    @property
    def chat_id(self) -> int:
        assert self.row.recipient is not None  # noqa: S101 (rows to staff are never sent)
        return self.row.recipient


async def send_all(deliveries: list[Delivery]) -> None:
    """Send each and note its outcome on it; raises nothing that is one row's own trouble."""
    request = client.build_request(connections=len(deliveries))
    await request.initialize()
    bot = client.build_bot(request)
    try:
        await asyncio.gather(*(_send(bot, delivery) for delivery in deliveries))
    finally:
        await request.shutdown()


async def _send(bot: Bot, delivery: Delivery) -> None:
    async def ready() -> None:
        await wait_for_turn(delivery.chat_id, delivery.row.priority, delivery.now)
        await _clear(bot, delivery)

    try:
        async with asyncio.timeout(SEND_SECONDS):
            screen = with_long_text_as_file(delivery.outgoing.screen)
            await send_parts(bot, delivery.chat_id, screen, delivery.progress, ready)
            await _clear(bot, delivery)  # what has no parts only takes away
    except Exception as error:
        delivery.error = error


async def _clear(bot: Bot, delivery: Delivery) -> None:
    """Take the old messages away, once, before the first part."""
    if delivery.has_cleared or delivery.progress.done:
        return
    delivery.has_cleared = True
    outgoing = delivery.outgoing
    for place, (chat_id, message_id) in enumerate(outgoing.delete_before):
        try:
            await take_away(bot, chat_id, message_id, over=outgoing.over)
        except RetryAfter:
            raise
        except TelegramError as error:
            if outgoing.insists:
                raise
            # What comes now matters more; taking away goes on as a message of its own.
            logger.warning("message not taken away yet: %s", error, extra={"chat": chat_id})
            delivery.standing = outgoing.delete_before[place:]
            return
