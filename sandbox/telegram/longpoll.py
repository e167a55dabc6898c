"""getUpdates: one poll at a time, and the newest one wins."""

import time
from typing import Any

from sandbox.telegram import update_queue
from sandbox.telegram.errors import bad_request, conflict
from sandbox.telegram.models import Bot
from sandbox.telegram.params import Params
from sandbox.telegram.signals import CHANNEL, listening
from sandbox.telegram.state import change_state

LONGEST_POLL = 50.0
_RECHECK = 5.0  # a lost notification costs no more than this

_BEGIN = """
    UPDATE sandbox_bot SET poll_number = poll_number + 1 WHERE id = %s
    RETURNING *, pg_notify(%s, '')::text AS told
"""


def get_updates(params: Params) -> list[dict[str, Any]]:
    allowed = allowed_updates(params)
    if allowed is not None:
        change_state(allowed_updates=allowed)
    state = _begin_poll()
    if state.webhook_url:
        raise conflict(
            "can't use getUpdates method while webhook is active; "
            "use deleteWebhook to delete the webhook first"
        )
    update_queue.confirm(params.integer("offset"))
    limit = min(max(params.integer("limit", 100), 1), 100)
    timeout = min(max(params.integer("timeout"), 0), LONGEST_POLL)
    return _wait_for_updates(limit, timeout, state.poll_number)


def allowed_updates(params: Params) -> list[str] | None:
    """None: leave the previous choice as it is."""
    kinds = params.parsed("allowed_updates", what="allowed updates")
    if kinds is None:
        return None
    if not isinstance(kinds, list):
        raise bad_request("expected an Array of String as allowed updates")
    return [str(kind) for kind in kinds]


def _begin_poll() -> Bot:
    """Take a number; the notification lets an older poll see that it is over."""
    for state in Bot.objects.raw(_BEGIN, [Bot.ROW, CHANNEL]):
        return state
    change_state(poll_number=0)
    return _begin_poll()


def _wait_for_updates(limit: int, timeout: float, number: int) -> list[dict[str, Any]]:
    deadline = time.monotonic() + timeout
    updates = update_queue.read(limit)
    if updates or not timeout:
        return [update_queue.update_json(update) for update in updates]
    with listening() as wait:
        while not (updates := update_queue.read(limit)):
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                break
            wait(min(remaining, _RECHECK))
            _check_not_replaced(number)
    return [update_queue.update_json(update) for update in updates]


def _check_not_replaced(number: int) -> None:
    if not Bot.objects.filter(pk=Bot.ROW, poll_number=number).exists():
        raise conflict(
            "terminated by other getUpdates request; "
            "make sure that only one bot instance is running"
        )
