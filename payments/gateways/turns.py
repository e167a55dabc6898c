"""Keeps a gateway's limits over all processes, with no other server than the database.

A limit of n calls a second is n places. Who calls holds one until the answer is there, and it is
free again a second after that: however long a call is on its way, no n + 1 of them can arrive
within one second. A place is taken and given back in one short statement each; nothing is held
while somebody waits or calls.
"""

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from payments.gateways.base import GatewayBusy

logger = logging.getLogger(__name__)
MOST_WAIT = 2.0
"""Seconds: when no place is free by then, the call is made later."""
LOOK_EVERY = 0.2
SECOND = 1.05
"""With something for clocks that do not run alike."""
HOLD = 15.0
"""Seconds after which the place of a process that died is free; no call takes longer."""

# Nobody's place is free only in a minute: where one is, the database's clock was set back.
_TAKE = """
    UPDATE payments_gatewayturn SET free_at = clock_timestamp() + %s * interval '1 s'
    WHERE name = (
        SELECT name FROM payments_gatewayturn
        WHERE name = ANY(%s) AND (free_at <= clock_timestamp()
                                  OR free_at > clock_timestamp() + interval '1 min')
        ORDER BY free_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING name
"""
_MAKE = """
    INSERT INTO payments_gatewayturn (name, free_at)
    SELECT unnest(%s::text[]), clock_timestamp() ON CONFLICT DO NOTHING
"""
_GIVE_BACK = """
    UPDATE payments_gatewayturn SET free_at = clock_timestamp() + %s * interval '1 s'
    WHERE name = %s
"""


@contextmanager
def take_turn(name: str, sleep: Callable[[float], None]) -> Iterator[None]:
    """Wait for a place among these calls and hold it for the block.

    Raises GatewayBusy when none is free within MOST_WAIT. Refuses to run in a transaction: the
    row would stay locked until its end, and everybody's calls with it.
    """
    if not settings.PAKASIR_CALLS_PER_SECOND:
        yield
        return
    numbers = range(settings.PAKASIR_CALLS_PER_SECOND)
    place = _wait_for_one([f"{name[:56]}:{number}" for number in numbers], sleep)
    try:
        yield
    finally:
        _give_back(place)


def _wait_for_one(places: list[str], sleep: Callable[[float], None]) -> str:
    waited = 0.0
    while (place := _take(places)) is None:
        if waited >= MOST_WAIT:
            raise GatewayBusy(MOST_WAIT)
        pause = LOOK_EVERY * random.uniform(0.5, 1.5)  # noqa: S311 - they must not look in step
        sleep(pause)
        waited += pause
    return place


def _take(places: list[str]) -> str | None:
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(_TAKE, [HOLD, places])
        taken = cursor.fetchone()
        if taken is None:
            cursor.execute(_MAKE, [places])
            if cursor.rowcount:
                cursor.execute(_TAKE, [HOLD, places])
                taken = cursor.fetchone()
        return None if taken is None else str(taken[0])


def _give_back(place: str) -> None:
    try:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute(_GIVE_BACK, [SECOND, place])
    except DatabaseError:
        # What the gateway answered must not be lost over this: the place frees itself.
        logger.warning("turn not given back", extra={"turn": place}, exc_info=True)
