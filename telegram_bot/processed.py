"""One update is handled once, one person's updates one at a time, over all replicas."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import DatabaseError, connection

from core.models import store_settings
from telegram_bot.models import ProcessedUpdate

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
PURGE_BATCH = 1_000
# First half of the advisory lock's key; the second is the person. Names nothing else in the store.
_LOCK_CLASS = 7_201
_LOCK_WAIT = "30s"


@contextmanager
def person_lock(person_id: int) -> Iterator[None]:
    """Hold this person's lock of the whole installation, in this thread's connection.

    It belongs to the session: a process that dies lets go of it. OperationalError after 30 s, so
    that a peer that hangs does not take our threads with it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('lock_timeout', %s, false), pg_advisory_lock(%s, hashint8(%s))",
            [_LOCK_WAIT, _LOCK_CLASS, person_id],
        )
    try:
        yield
    finally:
        _unlock(person_id)


def _unlock(person_id: int) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_unlock(%s, hashint8(%s)),"
                " set_config('lock_timeout', '0', false)",
                [_LOCK_CLASS, person_id],
            )
    except DatabaseError:
        # Whatever ails the connection: closing it gives the lock back.
        logger.warning("person lock given back by closing its connection", exc_info=True)
        connection.close()


def claim_update(*, bot_id: int, update_id: int, now: datetime) -> bool:
    """Lease an update to the caller, who holds its person's lock; False: it was handled.

    An update that is leased but not done belongs to a process that died: the lock would keep us
    out while its handler lives. So it is handled again without waiting for the lease.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {ProcessedUpdate._meta.db_table}"  # noqa: S608 (a constant)
            " (bot_id, update_id, leased_until) VALUES (%s, %s, %s)"
            " ON CONFLICT (bot_id, update_id) DO UPDATE SET leased_until = EXCLUDED.leased_until"
            f" WHERE {ProcessedUpdate._meta.db_table}.done_at IS NULL RETURNING id",
            [bot_id, update_id, now + LEASE],
        )
        return cursor.fetchone() is not None


def finish_update(*, bot_id: int, update_id: int, now: datetime) -> None:
    ProcessedUpdate.objects.filter(bot_id=bot_id, update_id=update_id).update(done_at=now)


def purge_updates(*, now: datetime, limit: int = PURGE_BATCH) -> int:
    """Forget up to `limit` updates that were handled long ago; return how many.

    Telegram keeps what was not fetched for a day, and we remember for two at least: none that is
    forgotten comes again.
    """
    long_ago = now - timedelta(days=store_settings().keep_updates_days)
    oldest = ProcessedUpdate.objects.order_by("pk").values_list("pk", "leased_until")[:limit]
    keys = [key for key, leased_until in oldest if leased_until < long_ago]
    deleted, _ = ProcessedUpdate.objects.filter(pk__in=keys, leased_until__lt=long_ago).delete()
    return deleted
