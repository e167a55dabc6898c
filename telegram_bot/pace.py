"""How fast the outbox sends, over all processes (Bot FAQ, "My bot is hitting limits").

Telegram takes about 30 messages a second overall, 20 a minute into a group and one a second into a
private chat. The outbox takes 20 a second, with a burst of 5 more: the rest is left to the bot's
answers to people, which ask nobody. A token bucket per chat and one for all are kept in Redis, by
its clock; without Redis, turns in PostgreSQL, slower and without bursts.
"""

import asyncio
import functools
import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from core.jobs import PATIENCE, SILENCE
from core.models import OutboxPriority
from core.turns import take_turn
from telegram_bot.client import bot_id

logger = logging.getLogger(__name__)

SHORT_WAIT = 0.5
"""Seconds that a part waits for its token in place; for longer its row is put back."""
MOST_WAITING = 5.0
MICROSECONDS = 1_000_000


class NotYet(Exception):
    """This chat may not be written to yet, for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"for {seconds:.1f} s")
        self.pause = timedelta(seconds=seconds)


@dataclass(frozen=True)
class Bucket:
    """`burst` messages at once, then one every `interval` seconds.

    In `seconds` it lets pass at most burst + seconds / interval. `slow` is the interval in the
    place of both while Redis is away.
    """

    burst: int
    interval: float
    slow: float


ALL = Bucket(burst=5, interval=0.05, slow=0.1)
GROUP = Bucket(burst=5, interval=4.0, slow=4.0)
PRIVATE = Bucket(burst=2, interval=1.3, slow=1.3)
RESERVED = 3
"""Of the common burst broadcasts leave so much to orders."""

# Each bucket is the time at which it is full again. A key that is missing may have been used up a
# moment ago, before Redis lost it: what is missing counts as empty at the birth of this memory.
_SCRIPT = """
local clock = redis.call('TIME')
local now = tonumber(ARGV[1]) or clock[1] * 1000000 + clock[2]
local born = tonumber(redis.call('GET', KEYS[1]))
if not born or born > now then
  born = now
  redis.call('SET', KEYS[1], string.format('%.0f', now))
end
local function keep(key, full_at)
  local milliseconds = math.max(math.ceil((full_at - now) / 1000), 0) + 1000
  redis.call('SET', key, string.format('%.0f', full_at), 'PX', milliseconds)
end
local wait, full = 0, {}
for place = 2, #KEYS do
  local burst, interval, reserved = unpack(ARGV, place * 3 - 4, place * 3 - 2)
  local full_at = tonumber(redis.call('GET', KEYS[place]) or 0)
  if full_at > now + burst * interval then  -- the clock was set back
    full_at = now + burst * interval
    keep(KEYS[place], full_at)
  end
  full_at = math.max(full_at, born + burst * interval)
  wait = math.max(wait, full_at - (burst - 1 - reserved) * interval - now)
  full[place] = math.max(full_at, now) + interval
end
if wait > 0 then return math.ceil(wait) end
for place = 2, #KEYS do keep(KEYS[place], full[place]) end
return 0
"""


async def wait_for_turn(chat_id: int, priority: int, now: datetime | None) -> None:
    """Return when one more message may be sent into this chat; raise NotYet if that is not soon.

    `now` is for travelling in time, as everywhere in the delivery.
    """
    if not settings.TELEGRAM_PACE:
        return
    take = sync_to_async(take_token)
    waited = 0.0
    while pause := await take(chat_id=chat_id, priority=priority, now=_later(now, waited)):
        if pause > SHORT_WAIT or waited > MOST_WAITING:
            raise NotYet(pause)
        await asyncio.sleep(pause)
        waited += pause


def _later(now: datetime | None, seconds: float) -> datetime | None:
    return now and now + timedelta(seconds=seconds)


def take_token(*, chat_id: int, priority: int, now: datetime | None = None) -> float:
    """Take a token of this chat and of all; return 0, or after how many seconds to ask again."""
    chat = GROUP if chat_id < 0 else PRIVATE
    if time.monotonic() >= _outage.ends_at:
        try:
            return _take_from_redis(chat_id, chat, priority, now)
        except (RedisError, OSError) as error:
            _outage.ends_at = time.monotonic() + SILENCE
            logger.warning("no Redis: messages are paced by the database")
            logger.debug("token buckets unreachable: %s", error)
    turns = {"all": timedelta(seconds=ALL.slow), str(chat_id): timedelta(seconds=chat.slow)}
    return take_turn(turns=turns, now=now or timezone.now()).total_seconds()


@functools.cache
def begin() -> None:
    """Once per process: let the memory of Redis begin before there is a first message to pace."""
    if not settings.TELEGRAM_PACE:
        return
    try:
        _script(settings.REDIS_URL)(keys=_keys("born"), args=[""])
    except (RedisError, OSError) as error:
        logger.debug("token buckets unreachable: %s", error)


def _keys(*names: str) -> list[str]:
    return [f"pace:{bot_id()}:{name}" for name in names]


def _take_from_redis(chat_id: int, chat: Bucket, priority: int, now: datetime | None) -> float:
    keys = _keys("born", "all", str(chat_id))
    reserved = RESERVED if priority >= OutboxPriority.BROADCAST else 0
    moment = "" if now is None else round(now.timestamp() * MICROSECONDS)
    numbers = [*_numbers(ALL, reserved), *_numbers(chat, 0)]
    wait = _script(settings.REDIS_URL)(keys=keys, args=[moment, *numbers])
    return int(wait) / MICROSECONDS


def _numbers(bucket: Bucket, reserved: int) -> tuple[int, int, int]:
    return bucket.burst, round(bucket.interval * MICROSECONDS), reserved


@dataclass
class _Outage:
    """When this process may try Redis again. Threads may write it side by side: any will do."""

    ends_at: float = 0.0


_outage = _Outage()


@functools.cache
def _script(url: str) -> Any:
    connection = Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
    return connection.register_script(_SCRIPT)
