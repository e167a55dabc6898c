"""Where a customer was when they went to make a deposit, to lead them back once it is credited.

Only a convenience: without Redis, or weeks later, the button leads to the menu.
"""

import logging

from django.core.cache import cache
from redis.exceptions import RedisError

from telegram_bot.paths import WayBack

logger = logging.getLogger(__name__)
REMEMBERED_SECONDS = 7 * 24 * 3600


def remember_way_back(payment_id: int, back: WayBack) -> None:
    if not back.is_known:
        return
    try:
        cache.set(_key(payment_id), back, REMEMBERED_SECONDS)
    except (RedisError, OSError):
        logger.warning("no cache: the way back is not remembered")


def find_way_back(payment_id: int) -> WayBack:
    try:
        known: WayBack | None = cache.get(_key(payment_id))
    except (RedisError, OSError):
        known = None
    return known or WayBack()


def _key(payment_id: int) -> str:
    return f"way-back:{payment_id}"
