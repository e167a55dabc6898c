"""Keeps a gateway's limits over all processes, with no other server than the database.

Each kind of limited call of a project has one row that says when the next may begin. A turn is
taken in one short statement of its own; whoever took it waits for it holding nothing.
"""

from django.conf import settings
from django.db import connection, transaction

from payments.gateways.base import GatewayBusy

MOST_WAIT = 2.0
"""Seconds: a turn that is further away is not taken, its call is made later."""
SPREAD = 1.25
"""Calls begin this much further apart than the limit asks: on their way they bunch up a little."""

# Nobody takes a turn a minute ahead: where one is, the database's clock was set back.
_TAKE = """
    INSERT INTO payments_gatewayturn AS turn (name, free_at)
    VALUES (%(name)s, clock_timestamp() + %(pause)s * interval '1 s')
    ON CONFLICT (name) DO UPDATE SET free_at = %(pause)s * interval '1 s' + CASE
        WHEN turn.free_at > clock_timestamp() + interval '1 min' THEN clock_timestamp()
        ELSE greatest(turn.free_at, clock_timestamp()) END
    WHERE turn.free_at <= clock_timestamp() + %(most)s * interval '1 s'
       OR turn.free_at > clock_timestamp() + interval '1 min'
    RETURNING extract(epoch FROM free_at - clock_timestamp()) - %(pause)s
"""
_WAIT = """
    SELECT extract(epoch FROM free_at - clock_timestamp())
    FROM payments_gatewayturn WHERE name = %(name)s
"""


def take_turn(name: str) -> float:
    """Take the next turn of these calls and return the seconds to wait for it.

    Raises GatewayBusy, taking none, when it is more than MOST_WAIT away. Refuses to run in a
    transaction: the row would stay locked until its end, and everybody's calls with it.
    """
    if not settings.PAKASIR_CALLS_PER_SECOND:
        return 0.0
    values: dict[str, str | float] = {
        "name": name[:60],
        "pause": SPREAD / settings.PAKASIR_CALLS_PER_SECOND,
        "most": MOST_WAIT,
    }
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        taken = cursor.fetchone()
        if taken is not None:
            return max(float(taken[0]), 0.0)
        cursor.execute(_WAIT, values)
        raise GatewayBusy(max(float(cursor.fetchone()[0]), MOST_WAIT))
