"""Which reply keyboard a customer has, to renew it once its numbers have changed.

Only a convenience: without Redis the keyboard stays as it is, and its buttons are still text that
is understood.
"""

import logging
from dataclasses import replace

from django.core.cache import cache
from redis.exceptions import RedisError

from telegram_bot import keyboards
from telegram_bot.keyboards import ReplyKeyboard
from telegram_bot.requests import BotRequest, RequestKind
from telegram_bot.screens import Screen
from telegram_bot.shortcuts import render

logger = logging.getLogger(__name__)
REMEMBERED_SECONDS = 30 * 24 * 3600


def remember(customer_id: int, keyboard: ReplyKeyboard) -> ReplyKeyboard:
    try:
        cache.set(_key(customer_id), keyboard, REMEMBERED_SECONDS)
    except (RedisError, OSError):
        logger.warning("no cache: the reply keyboard is not remembered")
    return keyboard


def renew(request: BotRequest, screen: Screen) -> Screen:
    """Put the keyboard of today before a new message when the customer has another one."""
    is_new_message = request.kind != RequestKind.CALLBACK or not screen.replaces
    if not screen.text or not is_new_message or _brings_keyboard(screen):
        return screen
    known = _known(request.customer.pk)
    if known is None or known == (keyboard := keyboards.reply_keyboard()):
        return screen
    remember(request.customer.pk, keyboard)
    if not screen.buttons:
        return replace(screen, reply_keyboard=keyboard)
    renewed = render(request, "telegram/keyboard_renewed.html", reply_keyboard=keyboard)
    return replace(screen, before=(renewed, *screen.before))


def _brings_keyboard(screen: Screen) -> bool:
    return any(part.reply_keyboard is not None for part in (screen, *screen.before))


def _known(customer_id: int) -> ReplyKeyboard | None:
    try:
        known: ReplyKeyboard | None = cache.get(_key(customer_id))
    except (RedisError, OSError):
        return None
    return known


def _key(customer_id: int) -> str:
    return f"reply-keyboard:{customer_id}"
