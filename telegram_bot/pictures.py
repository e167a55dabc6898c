"""Sends a picture once as bytes and from then on by the file id Telegram gave it."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from django.core.cache import cache
from redis.exceptions import RedisError
from telegram import Message
from telegram.error import BadRequest

from telegram_bot.client import bot_id
from telegram_bot.screens import Photo

logger = logging.getLogger(__name__)

REMEMBERED_SECONDS = 30 * 24 * 3600
PHOTO_NAME = "photo.png"
Picture = str | bytes
Sent = TypeVar("Sent", Message, Message | bool)


def is_not_modified(error: BadRequest) -> bool:
    return "message is not modified" in error.message.lower()


async def known_file_id(photo: Photo) -> str:
    """Return the picture's file id, or "" when it has to be uploaded."""
    if photo.file_id or not photo.key:
        return photo.file_id
    try:
        return await cache.aget(_cache_key(photo)) or ""
    except (RedisError, OSError):
        logger.info("cache of file ids unreadable", extra={"photo": photo.key})
        return ""


async def with_picture(photo: Photo, send: Callable[[Picture], Awaitable[Sent]]) -> Sent:
    """Call `send` with the file id, and with the bytes when there is none or Telegram objects.

    A file id may be of another bot, or too old; whatever else was wrong is wrong again then.
    """
    known = await known_file_id(photo)
    if known:
        try:
            return await send(known)
        except BadRequest as error:
            if photo.data is None or is_not_modified(error):
                raise
            logger.info("file id refused: %s", error, extra={"photo": photo.key})
    if photo.data is None:
        raise ValueError(f"a photo without content: {photo.key!r}")
    sent = await send(photo.data)
    if photo.key and isinstance(sent, Message) and sent.photo:
        await _remember(photo, sent.photo[-1].file_id)
    return sent


async def _remember(photo: Photo, file_id: str) -> None:
    try:
        await cache.aset(_cache_key(photo), file_id, REMEMBERED_SECONDS)
    except (RedisError, OSError):
        logger.info("file id not remembered", extra={"photo": photo.key})


def _cache_key(photo: Photo) -> str:
    return f"file_id:{bot_id()}:{photo.key}"
