"""Telegram's limits on sending, when they are switched on (Bot FAQ, "My bot is hitting limits").

30 messages a second overall; 20 a minute into one group; 1 a second into one private chat, where
a short burst is forgiven: 5 in any 5 seconds.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from sandbox.telegram.errors import too_many_requests
from sandbox.telegram.models import RecordedCall

_LIMITS_LOCK = 7_104


@dataclass(frozen=True)
class _Window:
    messages: int
    seconds: int


OVERALL = _Window(30, 1)
GROUP = _Window(20, 60)
PRIVATE = _Window(5, 5)


def check_limits(chat_id: int | None) -> None:
    """Raise 429 when a window is full. Senders queue here until commit: the count is exact."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LIMITS_LOCK])
    now = timezone.now()
    _check(OVERALL, now)
    if chat_id is not None:
        _check(GROUP if chat_id < 0 else PRIVATE, now, chat_id)


def _check(window: _Window, now: datetime, chat_id: int | None = None) -> None:
    since = now - timedelta(seconds=window.seconds)
    sends = RecordedCall.objects.filter(is_send=True, ok=True, at__gt=since)
    if chat_id is not None:
        sends = sends.filter(chat_id=chat_id)
    newest = list(sends.order_by("-at").values_list("at", flat=True)[: window.messages])
    if len(newest) == window.messages:
        frees_at = newest[-1] + timedelta(seconds=window.seconds)
        raise too_many_requests(max(1, math.ceil((frees_at - now).total_seconds())))
