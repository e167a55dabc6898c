"""What a customer was asked last: one session each, in Redis, for a day.

Only free text needs it. Losing it costs a question asked again, never an order, so Redis being
away is logged and read as "nothing was asked".
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

LIFE_SECONDS = 24 * 3600
# One step on the server: compare the version that was read, write the next one. Clearing counts
# up as well, so that a writer who read before the clearing is stale.
_CHANGE = """
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
local before = redis.call('HGET', KEYS[1], 'awaiting') or ''
if ARGV[1] ~= '' and tonumber(ARGV[1]) ~= version then return {0, before} end
redis.call('HSET', KEYS[1], 'version', version + 1, 'awaiting', ARGV[2], 'data', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return {1, before}
"""


@dataclass(frozen=True)
class Session:
    """`awaiting` names the input that was asked for; empty: none."""

    awaiting: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    version: int = 0


def get_session(user_id: int) -> Session:
    try:
        stored = _redis().hgetall(_key(user_id))
    except (RedisError, OSError):
        logger.warning("session unreadable, taken as empty", extra={"customer": user_id})
        return Session()
    if not stored:
        return Session()
    return Session(stored["awaiting"], json.loads(stored["data"]), int(stored["version"]))


def await_input(
    user_id: int,
    awaiting: str,
    data: Mapping[str, Any] | None = None,
    *,
    seen: Session | None = None,
) -> bool:
    """Remember what was asked, in place of whatever was asked before.

    With `seen`, only while the session is still the one that was read. False: a stale writer,
    or Redis is away; nothing was changed.
    """
    return _change(user_id, awaiting, data or {}, seen)


def clear(user_id: int, *, seen: Session | None = None) -> bool:
    """Forget what was asked; `seen` and the answer as in await_input."""
    return _change(user_id, "", {}, seen)


def _change(user_id: int, awaiting: str, data: Mapping[str, Any], seen: Session | None) -> bool:
    expected = "" if seen is None else str(seen.version)
    arguments = (expected, awaiting, json.dumps(dict(data)), LIFE_SECONDS)
    context: dict[str, object] = {"customer": user_id, "awaiting": awaiting}
    try:
        changed, before = _redis().eval(_CHANGE, 1, _key(user_id), *arguments)
    except (RedisError, OSError):
        logger.warning("session not written", extra=context)
        return False
    outcome = "session changed" if changed else "stale session writer lost"
    logger.info(outcome, extra={**context, "before": before})
    return bool(changed)


def _key(user_id: int) -> str:
    return f"session:{user_id}"


def _redis() -> Any:
    return _connect(settings.REDIS_URL)


@cache
def _connect(url: str) -> Any:  # redis-py's types do not know decode_responses
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=0.5,
        socket_timeout=0.5,
    )
