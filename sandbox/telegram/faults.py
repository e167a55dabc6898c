"""Failures on order: the next matching calls are slow, fail, or fail after their effect."""

import time

from sandbox.telegram.errors import ApiError
from sandbox.telegram.models import CallFault

DROP_CONNECTION = 0
_DESCRIPTIONS = {
    400: "Bad Request: failed on order",
    401: "Unauthorized",
    403: "Forbidden: bot was blocked by the user",
    404: "Not Found",
    409: "Conflict: terminated by other getUpdates request",
    429: "Too Many Requests: retry after {retry_after}",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    DROP_CONNECTION: "Gateway Timeout",
}

# The row lock makes rivals wait and look again, so a fault is used exactly `times` times.
_CLAIM = """
    UPDATE sandbox_callfault SET used = used + 1
    WHERE used < times AND id = (
        SELECT id FROM sandbox_callfault
        WHERE used < times AND (method = '' OR lower(method) = lower(%s))
          AND (chat_id IS NULL OR chat_id = %s)
        ORDER BY id LIMIT 1 FOR UPDATE
    )
    RETURNING *
"""


def claim(method: str, chat_id: int | None) -> CallFault | None:
    return next(iter(CallFault.objects.raw(_CLAIM, [method, chat_id])), None)


def strike(fault: CallFault) -> None:
    """Wait as ordered, then fail as ordered."""
    time.sleep(fault.delay_ms / 1000)
    if fault.error_code is not None:
        raise _error(fault)


def _error(fault: CallFault) -> ApiError:
    code = fault.error_code or 0
    retry_after = fault.retry_after or 1
    words = fault.description or _DESCRIPTIONS.get(code, "Internal Server Error")
    parameters = {"retry_after": retry_after} if code == 429 or fault.retry_after else None
    return ApiError(code, words.replace("{retry_after}", str(retry_after)), parameters)
