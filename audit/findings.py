"""What a walk along the chain finds, told apart: changed, missing, inserted, moved, cut off."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from audit.chain import GENESIS, is_genuine
from audit.models import AuditEntry, AuditHead

NEARBY: tuple[int, ...] = (*range(1, 17), *range(-1, -17, -1))
"""How far from where it was written a row is still recognised."""
MOST_SUSPECTS = 1_000


class FindingKind(StrEnum):
    CHANGED = "changed"
    MISSING = "missing"
    INSERTED = "inserted"
    MOVED = "moved"
    BROKEN_LINK = "broken_link"
    CUT_OFF = "cut_off"
    BEYOND_HEAD = "beyond_head"
    WRONG_KEY = "wrong_key"
    NO_HEAD = "no_head"
    HEAD_CHANGED = "head_changed"
    NOT_THERE = "not_there"
    KEPT_CHANGED = "kept_changed"


SENTENCES = {
    FindingKind.CHANGED: "the row was changed: it does not fit its keyed hash",
    FindingKind.MISSING: "rows are missing",
    FindingKind.INSERTED: "the row was inserted: no shipper has written it",
    FindingKind.MOVED: "rows were moved from where they were written",
    FindingKind.BROKEN_LINK: "the row is genuine but does not continue the one before it",
    FindingKind.CUT_OFF: "the end is cut off: the main database knows of these rows",
    FindingKind.BEYOND_HEAD: "the row stands beyond the head and the main database lacks it",
    FindingKind.WRONG_KEY: "AUDIT_KEY is not the key that this trail was made with",
    FindingKind.NO_HEAD: "the main database lacks the head; the next shipment makes it anew",
    FindingKind.HEAD_CHANGED: "the head in the main database is not what a shipper left there",
    FindingKind.NOT_THERE: "the main database says it was shipped, the audit database lacks it",
    FindingKind.KEPT_CHANGED: "it was changed in the main database; the audit database is right",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `last` ends a range that `position` begins."""

    kind: FindingKind
    position: int | None = None
    last: int | None = None
    uuid: UUID | None = None

    def __str__(self) -> str:
        where = "" if self.position is None else f" {self.position}"
        where += f" to {self.last}" if self.last not in (None, self.position) else ""
        row = f" ({self.uuid})" if self.uuid else ""
        return f"{self.kind}{where}{row}: {SENTENCES[self.kind]}"


class Walk:
    """Takes the rows of the audit database in order and says what is wrong with them.

    A row that fits its own hash was written by a shipper; what lies between two of those tells
    whether rows were changed, inserted or taken out there.
    """

    def __init__(self, head: AuditHead) -> None:
        self.head = head
        self.waiting = 0
        self._last = 0
        """Position at which the last genuine row stands."""
        self._hash = GENESIS
        self._drift: int = 0
        """How far that row stands from where it was written."""
        self._suspects: list[tuple[int, UUID]] = []
        self._seen = 0

    def take(self, row: AuditEntry) -> Iterator[Finding]:
        position = row.position or 0
        yield from self._gap(position)
        self._seen = max(position, 0)
        drift = self._drift_of(row)
        if drift is None:
            self._suspects.append((position, row.uuid))
            if len(self._suspects) >= MOST_SUSPECTS:
                yield from self._judge(0)
            return
        yield from self._genuine(row, position, drift)

    def end(self) -> Iterator[Finding]:
        yield from self._judge(0)
        if self._seen < self.head.count:
            yield Finding(FindingKind.CUT_OFF, position=self._seen + 1, last=self.head.count)

    def _gap(self, position: int) -> Iterator[Finding]:
        last_missing = min(position - 1, self.head.count)
        if self._seen < last_missing:
            yield Finding(FindingKind.MISSING, position=self._seen + 1, last=last_missing)

    def _genuine(self, row: AuditEntry, position: int, drift: int) -> Iterator[Finding]:
        follows = position == self._last + 1 and drift == self._drift
        if self._suspects:
            yield from self._judge(drift - self._drift)
        elif follows and bytes(row.previous_hash or b"") != self._hash:
            yield Finding(FindingKind.BROKEN_LINK, position=position, uuid=row.uuid)
        if drift and drift != self._drift:
            yield Finding(FindingKind.MOVED, position=position, uuid=row.uuid)
        self._last, self._drift, self._hash = position, drift, bytes(row.hash or b"")
        if not drift:
            yield from self._against_head(row, position)

    def _drift_of(self, row: AuditEntry) -> int | None:
        """Return how far a row stands from where it was written, None for a row nobody wrote."""
        if is_genuine(row):
            return 0
        position = row.position or 0
        drifts = (self._drift, *NEARBY)
        return next((each for each in drifts if is_genuine(row, position=position - each)), None)

    def _judge(self, pushed: int) -> Iterator[Finding]:
        """Name the suspects: as many as what follows was pushed on by were inserted."""
        for number, (position, uuid) in enumerate(self._suspects):
            is_new = number < pushed or not 0 < position <= self.head.count
            kind = FindingKind.INSERTED if is_new else FindingKind.CHANGED
            yield Finding(kind, position=position, uuid=uuid)
        self._suspects = []

    def _against_head(self, row: AuditEntry, position: int) -> Iterator[Finding]:
        if position == self.head.count and bytes(row.hash or b"") != bytes(self.head.hash):
            yield Finding(FindingKind.HEAD_CHANGED, position=position, uuid=row.uuid)
        if position > self.head.count:
            if AuditEntry.objects.filter(uuid=row.uuid).exists():
                self.waiting += 1
            else:
                yield Finding(FindingKind.BEYOND_HEAD, position=position, uuid=row.uuid)
