"""Sends a screen: as new messages, part by part, or in place of the message that was pressed."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from telegram import Bot, InputFile, LinkPreviewOptions, MaybeInaccessibleMessage, Message
from telegram.constants import ParseMode
from telegram.error import BadRequest, TelegramError

from telegram_bot.editing import edit_into
from telegram_bot.markup import Markup, markup_of
from telegram_bot.overlong import fits_caption, with_long_text_as_file
from telegram_bot.pictures import PHOTO_NAME, with_picture
from telegram_bot.screens import Document, Photo, Screen

logger = logging.getLogger(__name__)

Part = Callable[[Bot, int], Awaitable[Message | None]]
Ready = Callable[[], Awaitable[None]]
"""Awaited before every part; what it raises stops the sending there."""


@dataclass
class Progress:
    """How far the sending of a screen got; `message_id` carries its text and buttons."""

    done: int = 0
    message_id: int | None = None


async def send_screen(
    bot: Bot, chat_id: int, screen: Screen, pressed: MaybeInaccessibleMessage | None
) -> int | None:
    """Show a screen and return the id of the message that carries its text and buttons.

    `pressed` is the message of the button; the screen takes its place if it says so and Telegram
    allows it. Raises TelegramError.
    """
    progress = Progress()
    screen = with_long_text_as_file(screen)
    replaces = pressed is not None and screen.replaces and bool(screen.text or screen.photo)
    if pressed is None or not replaces:
        await send_parts(bot, chat_id, screen, progress)
        return progress.message_id
    await _send(bot, chat_id, _leading(screen), progress)
    progress.message_id = await edit_into(bot, screen, pressed)
    if progress.message_id is None:
        await _send(bot, chat_id, _main(screen), progress)
        await _remove(bot, pressed)
    await _send(bot, chat_id, _trailing(screen), Progress())
    return progress.message_id


async def at_once() -> None:
    """Answers to people wait for nothing."""


async def send_parts(
    bot: Bot, chat_id: int, screen: Screen, progress: Progress, ready: Ready = at_once
) -> None:
    """Send a screen as new messages, but for the parts `progress` counts as sent.

    When a part raises, `progress` tells how many went out, so that a repetition goes on there.
    """
    parts = _leading(screen) + _main(screen)
    await _send(bot, chat_id, parts[progress.done :], progress, ready)
    rest = Progress(done=progress.done - len(parts))
    try:
        await _send(bot, chat_id, _trailing(screen)[rest.done :], rest, ready)
    finally:
        progress.done = len(parts) + rest.done
        progress.message_id = progress.message_id or rest.message_id


async def _send(
    bot: Bot, chat_id: int, parts: list[Part], progress: Progress, ready: Ready = at_once
) -> None:
    for part in parts:
        await ready()
        message = await part(bot, chat_id)
        progress.done += 1
        if message is not None:
            progress.message_id = message.message_id


def _leading(screen: Screen) -> list[Part]:
    parts: list[Part] = [_sticker(screen.sticker)] if screen.sticker else []
    for earlier in screen.before:
        whole = with_long_text_as_file(earlier)
        parts += _leading(whole) + _main(whole) + _trailing(whole)
    return parts


def _main(screen: Screen) -> list[Part]:
    """Return text, photo with caption, or photo and then text when it is too long for one."""
    markup = markup_of(screen)
    if screen.photo is None:
        return [_text(screen.text, markup)] if screen.text else []
    if fits_caption(screen.text):
        return [_photo(screen.photo, screen.text, markup)]
    return [_photo(screen.photo, "", None), _text(screen.text, markup)]


def _trailing(screen: Screen) -> list[Part]:
    return [_document(document) for document in screen.documents]


def _sticker(file_id: str) -> Part:
    async def send(bot: Bot, chat_id: int) -> None:
        try:
            await bot.send_sticker(chat_id, file_id)
        except TelegramError as error:
            # An ornament: a wrong id in the settings must not cost the message behind it.
            logger.warning("sticker not sent: %s", error)

    return send


def _text(text: str, markup: Markup | None) -> Callable[[Bot, int], Awaitable[Message]]:
    async def send(bot: Bot, chat_id: int) -> Message:
        return await bot.send_message(
            chat_id,
            text,
            parse_mode=ParseMode.HTML,
            reply_markup=markup,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        )

    return send


def _photo(photo: Photo, caption: str, markup: Markup | None) -> Part:
    async def send(bot: Bot, chat_id: int) -> Message:
        try:
            return await with_picture(
                photo,
                lambda picture: bot.send_photo(
                    chat_id,
                    picture,
                    caption=caption or None,
                    parse_mode=ParseMode.HTML,
                    reply_markup=markup,
                    filename=PHOTO_NAME,
                ),
            )
        except BadRequest as error:
            if not caption:
                raise
            # Refused for ever: what it says and its buttons, such as the way to pay, still help.
            logger.warning("picture refused, sent as text: %s", error)
        return await _text(caption, markup)(bot, chat_id)

    return send


def _document(document: Document) -> Part:
    async def send(bot: Bot, chat_id: int) -> Message:
        return await bot.send_document(
            chat_id,
            InputFile(document.data, filename=document.name),
            caption=document.caption or None,
            parse_mode=ParseMode.HTML,
            disable_content_type_detection=True,
        )

    return send


async def _remove(bot: Bot, pressed: MaybeInaccessibleMessage) -> None:
    try:
        await bot.delete_message(pressed.chat.id, pressed.message_id)
    except TelegramError as error:
        # Gone already, or older than 48 hours: the new message stands below it.
        logger.info("message stays: %s", error)
