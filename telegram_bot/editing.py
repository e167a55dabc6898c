"""Turns the message that was pressed into the next screen, where Telegram allows it."""

import logging

from telegram import (
    Bot,
    InputMediaPhoto,
    LinkPreviewOptions,
    MaybeInaccessibleMessage,
    Message,
)
from telegram.constants import ParseMode
from telegram.error import BadRequest

from telegram_bot.markup import inline_keyboard
from telegram_bot.overlong import fits_caption
from telegram_bot.pictures import PHOTO_NAME, Picture, is_not_modified, known_file_id, with_picture
from telegram_bot.screens import Photo, Screen

logger = logging.getLogger(__name__)


async def edit_into(bot: Bot, screen: Screen, pressed: MaybeInaccessibleMessage) -> int | None:
    """Edit `pressed` into the screen's text or photo; None: it has to be sent anew.

    Telegram edits text into text and photo into photo; a message too old, gone or of another
    kind cannot be edited, nor can a reply keyboard be edited in.
    """
    if not isinstance(pressed, Message) or screen.reply_keyboard is not None:
        return None
    try:
        is_edited = await _edit(bot, screen, pressed)
    except BadRequest as error:
        if is_not_modified(error):
            return pressed.message_id
        logger.info("not editable, sent anew: %s", error)
        return None
    return pressed.message_id if is_edited else None


async def _edit(bot: Bot, screen: Screen, pressed: Message) -> bool:
    if screen.photo is None and pressed.text is not None:
        await _edit_text(bot, screen, pressed)
        return True
    if screen.photo is None or not pressed.photo:
        return False
    if not fits_caption(screen.text):
        return False
    if await known_file_id(screen.photo) == pressed.photo[-1].file_id:
        await _edit_caption(bot, screen, pressed)
    else:
        await _edit_photo(bot, screen, screen.photo, pressed)
    return True


async def _edit_text(bot: Bot, screen: Screen, pressed: Message) -> None:
    await bot.edit_message_text(
        screen.text,
        pressed.chat.id,
        pressed.message_id,
        parse_mode=ParseMode.HTML,
        reply_markup=inline_keyboard(screen.buttons),
        link_preview_options=LinkPreviewOptions(is_disabled=True),
    )


async def _edit_caption(bot: Bot, screen: Screen, pressed: Message) -> None:
    await bot.edit_message_caption(
        pressed.chat.id,
        pressed.message_id,
        caption=screen.text,
        parse_mode=ParseMode.HTML,
        reply_markup=inline_keyboard(screen.buttons),
    )


async def _edit_photo(bot: Bot, screen: Screen, photo: Photo, pressed: Message) -> None:
    async def send(picture: Picture) -> Message | bool:
        return await bot.edit_message_media(
            InputMediaPhoto(
                picture, caption=screen.text, parse_mode=ParseMode.HTML, filename=PHOTO_NAME
            ),
            pressed.chat.id,
            pressed.message_id,
            reply_markup=inline_keyboard(screen.buttons),
        )

    await with_picture(photo, send)
