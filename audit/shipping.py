"""Ships audit entries to their own database: sent at least once, stored exactly once, chained."""

import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from audit.chain import CONTENT, GENESIS, has_our_key, is_genuine, is_sealed, move_head, place
from audit.chain import says_the_same as same
from audit.errors import AuditChainBroken
from audit.models import AuditEntry, AuditHead

logger = logging.getLogger(__name__)
BATCH = 500
LOCK = (0x51_43, 2)
"""Key of the PostgreSQL advisory lock of the one who ships (class, number)."""


def ship_audit(*, now: datetime) -> int:
    """Ship up to BATCH entries, whatever their ids; return how many.

    One ships at a time: a second one returns 0 at once. The copies are committed first, marks and
    head in one transaction after them: whoever ends in between leaves copies beyond the head,
    which the next run adopts. Raises AuditChainBroken when the audit database is not what the
    head says; then nothing changed.
    """
    with transaction.atomic():
        if not _take_turn():
            return 0
        head = _checked_head()
        return _adopt(head, now) or _ship(head, now)


def _take_turn() -> bool:
    """Hold the lock until the transaction ends, or learn that somebody else does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", LOCK)
        return bool(cursor.fetchone()[0])


def wait_for_turn() -> None:
    """Hold the lock until the transaction ends: nobody is in the middle of shipping."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", LOCK)


def _checked_head() -> AuditHead:
    head = AuditHead.objects.filter(pk=1).first()
    if head is None:
        head = AuditHead(pk=1)
        move_head(head, count=0, last_hash=GENESIS)
    if not has_our_key(head):
        raise AuditChainBroken("AUDIT_KEY is not the key that the audit trail was made with")
    if not is_sealed(head):
        raise AuditChainBroken("the head of the audit trail was changed by somebody else")
    return head


def _adopt(head: AuditHead, now: datetime) -> int:
    """Mark what stands beyond the head: an earlier run stored it and got no further."""
    copies = _beyond(head)
    for copy in copies:
        follows = copy.position == head.count + 1 and bytes(copy.previous_hash or b"") == head.hash
        if not follows or not is_genuine(copy):
            raise AuditChainBroken(f"row {copy.uuid} stands where no shipper has put it")
        move_head(head, count=copy.position or 0, last_hash=bytes(copy.hash or b""))
    if copies:
        _compare_with_main(copies)
        _mark(_ids(copies), head, now)
        logger.info("adopted audit entries", extra={"entries": len(copies)})
    return len(copies)


def _beyond(head: AuditHead) -> list[AuditEntry]:
    """Return rows after the one that the head names, once that one is found as it says."""
    rows = AuditEntry.objects.using("audit").filter(position__gte=head.count)
    tail = list(rows.order_by("position")[: BATCH + 1])
    if not head.count:
        return tail[:BATCH]
    if not tail or tail[0].position != head.count or bytes(tail[0].hash or b"") != head.hash:
        raise AuditChainBroken(f"the audit database lacks row {head.count}, the last one shipped")
    return tail[1:]


def _compare_with_main(copies: Sequence[AuditEntry]) -> None:
    """Refuse a copy that says something else than its entry.

    A copy without an entry is genuine: the main database was restored from before it was written.
    """
    written = {entry.uuid: entry for entry in AuditEntry.objects.filter(uuid__in=_ids(copies))}
    for copy in copies:
        entry = written.get(copy.uuid)
        if entry is None:
            logger.warning("the main database lacks an audit entry", extra={"uuid": copy.uuid})
        elif not same(entry, copy):
            raise AuditChainBroken(f"row {copy.uuid} differs between the databases")


def _ids(entries: Sequence[AuditEntry]) -> list[UUID]:
    return [entry.uuid for entry in entries]


def _ship(head: AuditHead, now: datetime) -> int:
    # Not "beyond the last id shipped": a transaction that commits late has a lower id.
    entries = list(AuditEntry.objects.filter(shipped_at=None).order_by("pk")[:BATCH])
    copies = [_copy(entry, now) for entry in entries]
    for copy in copies:
        place(copy, position=head.count + 1, previous_hash=bytes(head.hash))
        move_head(head, count=head.count + 1, last_hash=bytes(copy.hash or b""))
    if copies:
        AuditEntry.objects.using("audit").bulk_create(copies)
        _mark(_ids(copies), head, now)
    return len(copies)


def _mark(ids: Sequence[UUID], head: AuditHead, now: datetime) -> None:
    AuditEntry.objects.filter(uuid__in=ids, shipped_at=None).update(shipped_at=now)
    head.save()


def _copy(entry: AuditEntry, now: datetime) -> AuditEntry:
    return AuditEntry(shipped_at=now, **{name: getattr(entry, name) for name in CONTENT})
