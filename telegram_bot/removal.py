"""Takes a message away, or at least what it was good for."""

import logging
from collections.abc import Awaitable, Callable

from telegram import Bot, InputMediaPhoto
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden

from telegram_bot.pictures import PHOTO_NAME, is_not_modified
from telegram_bot.qr import crossed_out_png

logger = logging.getLogger(__name__)
Edit = Callable[[Bot, int, int, str], Awaitable[object]]


async def take_away(bot: Bot, chat_id: int, message_id: int, *, over: str) -> None:
    """Delete the message; where Telegram refuses for ever, edit it to say `over`, unpayable.

    What refuses even that stays. Raises TelegramError when it is worth trying again.
    """
    try:
        await bot.delete_message(chat_id, message_id)
    except Forbidden as error:
        logger.info("message stays: %s", error, extra={"chat": chat_id})
    except BadRequest as error:
        if "message to delete not found" in error.message.lower():
            return
        logger.info("message not deletable, edited: %s", error, extra={"chat": chat_id})
        await _void(bot, chat_id, message_id, over)


async def _void(bot: Bot, chat_id: int, message_id: int, over: str) -> None:
    """Edit it as a text, as a picture, or at least its caption; any of them loses the buttons."""
    for edit in (_edit_text, _edit_picture, _edit_caption):
        try:
            await edit(bot, chat_id, message_id, over)
        except Forbidden as error:
            logger.info("message stays: %s", error, extra={"chat": chat_id})
        except BadRequest as error:
            if not is_not_modified(error):
                logger.info("message not editable so: %s", error, extra={"chat": chat_id})
                continue
        return
    logger.warning("message stays as it is", extra={"chat": chat_id, "message_id": message_id})


async def _edit_text(bot: Bot, chat_id: int, message_id: int, over: str) -> object:
    return await bot.edit_message_text(over, chat_id, message_id, parse_mode=ParseMode.HTML)


async def _edit_picture(bot: Bot, chat_id: int, message_id: int, over: str) -> object:
    """Also the picture goes: a QR code that still stands would still be scanned."""
    picture = InputMediaPhoto(
        crossed_out_png(), caption=over, parse_mode=ParseMode.HTML, filename=PHOTO_NAME
    )
    return await bot.edit_message_media(picture, chat_id, message_id)


async def _edit_caption(bot: Bot, chat_id: int, message_id: int, over: str) -> object:
    return await bot.edit_message_caption(
        chat_id, message_id, caption=over, parse_mode=ParseMode.HTML
    )
