"""Sends a batch of rendered outbox rows: different chats side by side, nothing of the database."""

import asyncio
import logging
from dataclasses import dataclass, field

from telegram import Bot
from telegram.error import BadRequest, Forbidden

from core.models import OutboxMessage
from telegram_bot import client
from telegram_bot.message_parts import OutgoingMessage
from telegram_bot.overlong import with_long_text_as_file
from telegram_bot.screens import NOTICE_ONLY
from telegram_bot.sender import Progress, send_parts

logger = logging.getLogger(__name__)

# Shorter than the lease of a row, so that nobody else takes up what is still under way.
SEND_SECONDS = 45
NOTHING_YET = OutgoingMessage(NOTICE_ONLY)


@dataclass
class Delivery:
    """One row on its way: what to send, how far it got, why it stopped."""

    row: OutboxMessage
    outgoing: OutgoingMessage = NOTHING_YET
    progress: Progress = field(default_factory=Progress)
    error: Exception | None = None

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
    try:
        async with asyncio.timeout(SEND_SECONDS):
            if delivery.progress.done == 0:
                await _delete(bot, delivery.outgoing.delete_before)
            screen = with_long_text_as_file(delivery.outgoing.screen)
            await send_parts(bot, delivery.chat_id, screen, delivery.progress)
    except Exception as error:
        delivery.error = error


async def _delete(bot: Bot, messages: tuple[tuple[int, int], ...]) -> None:
    for chat_id, message_id in messages:
        try:
            await bot.delete_message(chat_id, message_id)
        except (BadRequest, Forbidden) as error:
            # Deleted by hand, or older than 48 hours: what comes now matters more.
            logger.info("message not deleted: %s", error, extra={"chat": chat_id})
