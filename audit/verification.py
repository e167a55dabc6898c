"""Walks the chain of the audit database and compares it with what the main database knows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Max

from audit.chain import GENESIS, has_our_key, is_genuine, is_sealed, says_the_same
from audit.findings import Finding, FindingKind, Walk
from audit.models import AuditEntry, AuditHead
from audit.shipping import wait_for_turn

CHUNK = 500
LISTED = 1_000
"""Findings that are told one by one; further ones are counted."""
PROGRESS_EVERY = 10_000


@dataclass
class Verdict:
    """What came out. `rows` were walked, `kept` rows of the main database were compared."""

    rows: int = 0
    kept: int = 0
    head: int = 0
    waiting: int = 0
    """Rows that a shipper stored and did not come to mark; the next run does."""
    findings: list[Finding] = field(default_factory=list)
    unlisted: int = 0

    @property
    def is_whole(self) -> bool:
        return not self.findings

    def add(self, findings: Iterator[Finding]) -> None:
        for finding in findings:
            if len(self.findings) < LISTED:
                self.findings.append(finding)
            else:
                self.unlisted += 1


def verify_audit_trail(*, progress: Callable[[int], None] = lambda _rows: None) -> Verdict:
    """Compare every row with its hash, its neighbours, the head and the main database.

    Needs the same memory for any number of rows. `progress` hears how many rows are done.
    Shipping goes on meanwhile: rows that come later are left to the next run.
    """
    head, last = _head_and_last_position()
    verdict = Verdict(head=head.count if head else 0)
    if head is not None and not has_our_key(head) and not is_sealed(head):
        verdict.add(iter([Finding(FindingKind.WRONG_KEY)]))
        return verdict
    verdict.add(_head_findings(head, last))
    verdict.add(_unplaced())
    verdict.add(_walk(verdict, head or AuditHead(pk=1, hash=GENESIS), last, progress))
    verdict.add(_kept(verdict))
    return verdict


def _head_and_last_position() -> tuple[AuditHead | None, int]:
    """Return both as of a moment when nobody is in the middle of shipping."""
    with transaction.atomic():
        wait_for_turn()
        last = AuditEntry.objects.using("audit").aggregate(last=Max("position"))["last"]
        return AuditHead.objects.filter(pk=1).first(), last or 0


def _head_findings(head: AuditHead | None, last: int) -> Iterator[Finding]:
    if head is None and last:
        yield Finding(FindingKind.NO_HEAD)
    if head is not None and not (has_our_key(head) and is_sealed(head)):
        yield Finding(FindingKind.HEAD_CHANGED, position=head.count)


def _unplaced() -> Iterator[Finding]:
    rows = AuditEntry.objects.using("audit").filter(position=None).order_by("pk")
    for row in rows.iterator(CHUNK):
        yield Finding(FindingKind.INSERTED, uuid=row.uuid)


def _walk(
    verdict: Verdict, head: AuditHead, last: int, progress: Callable[[int], None]
) -> Iterator[Finding]:
    walk = Walk(head)
    rows = AuditEntry.objects.using("audit").filter(position__lte=last)
    for row in rows.order_by("position", "pk").iterator(CHUNK):
        verdict.rows += 1
        if verdict.rows % PROGRESS_EVERY == 0:
            progress(verdict.rows)
        yield from walk.take(row)
    yield from walk.end()
    verdict.waiting = walk.waiting


def _kept(verdict: Verdict) -> Iterator[Finding]:
    """Yield what differs from rows that the main database still has."""
    kept = AuditEntry.objects.exclude(shipped_at=None).order_by("pk")
    after = 0
    while rows := list(kept.filter(pk__gt=after)[:CHUNK]):
        after = rows[-1].pk
        verdict.kept += len(rows)
        yield from _compare(rows)


def _compare(rows: list[AuditEntry]) -> Iterator[Finding]:
    uuids = [row.uuid for row in rows]
    found = AuditEntry.objects.using("audit").filter(uuid__in=uuids)
    copies = {copy.uuid: copy for copy in found}
    for row in rows:
        copy = copies.get(row.uuid)
        if copy is None:
            yield Finding(FindingKind.NOT_THERE, uuid=row.uuid)
        # A copy that does not fit its own hash has been named by the walk.
        elif not says_the_same(row, copy) and is_genuine(copy):
            yield Finding(FindingKind.KEPT_CHANGED, position=copy.position, uuid=row.uuid)
