"""Tampering with either database is found, told apart and named."""

import hashlib
import json
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.models import F

from audit import chain
from audit.chain import CONTENT, GENESIS, move_head, place
from audit.models import AuditEntry, AuditHead
from audit.services import purge_audit, ship_audit
from audit.verification import verify_audit_trail
from core.models import StoreSettings
from tests.audit.steps import (
    LATER,
    NOW,
    entries,
    entry,
    found,
    no_triggers,
    ship_all,
    shipped,
    uuids_found,
)

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


@pytest.fixture
def five() -> list[AuditEntry]:
    written = entries(5)
    ship_all()
    return written


def at(position: int) -> Any:
    return shipped().filter(position=position)


def forged(position: int | None) -> AuditEntry:
    row = AuditEntry(actor="staff:7", action="x", target="x", source="admin", at=NOW)
    row.shipped_at, row.position = LATER, position
    row.previous_hash, row.hash = b"p" * 32, b"h" * 32
    return row


def insert(row: AuditEntry) -> AuditEntry:
    row.save(using="audit", force_insert=True)
    return row


def make_room(position: int, by: int = 1) -> None:
    """Push on what stands at a position and after it."""
    rows = shipped().filter(position__gte=position)
    rows.update(position=-F("position"))
    shipped().filter(position__lt=0).update(position=-F("position") + by)


def forget_main() -> None:
    """Leave nothing in the main database to compare with."""
    AuditEntry.objects.all().delete()


def test_a_whole_trail_is_whole(five: list[AuditEntry]) -> None:
    verdict = verify_audit_trail()
    assert (verdict.is_whole, verdict.rows, verdict.kept, verdict.head) == (True, 5, 5, 5)


def test_an_empty_trail_is_whole() -> None:
    assert verify_audit_trail().is_whole


def test_what_is_not_yet_shipped_is_no_finding(five: list[AuditEntry]) -> None:
    entry()
    assert found() == []


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "staff:8"},
        {"action": "x"},
        {"target": "x"},
        {"before": {"price": 9}},
        {"after": {"price": 2, "more": None}},
        {"source": "bot"},
        {"at": NOW + timedelta(microseconds=1)},
        {"shipped_at": NOW},
        {"uuid": uuid4()},
        {"previous_hash": b"x" * 32},
        {"hash": b"x" * 32},
        {"hash": None},
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.parametrize("is_kept", [True, False])
def test_a_changed_row_is_named(
    five: list[AuditEntry], change: dict[str, Any], is_kept: bool
) -> None:
    if not is_kept:
        forget_main()
    with no_triggers():
        at(3).update(**change)
    assert ("changed", 3, None) in found()
    assert uuids_found("changed") == [at(3).get().uuid]
    assert {kind for kind, *_ in found()} <= {"changed", "not_there"}


def test_the_last_row_changed(five: list[AuditEntry]) -> None:
    with no_triggers():
        at(5).update(actor="staff:8")
    assert found() == [("changed", 5, None)]


def test_a_missing_row_is_named(five: list[AuditEntry]) -> None:
    with no_triggers():
        at(3).delete()
    assert found() == [("missing", 3, 3), ("not_there", None, None)]
    assert uuids_found("not_there") == [five[2].uuid]


def test_a_missing_row_whose_place_was_closed(five: list[AuditEntry]) -> None:
    forget_main()
    with no_triggers():
        at(3).delete()
        make_room(4, by=-1)
    assert found() == [("moved", 3, None), ("cut_off", 5, 5)]


def test_a_cut_off_tail_is_named(five: list[AuditEntry]) -> None:
    with no_triggers():
        shipped().filter(position__gte=4).delete()
    assert found()[0] == ("cut_off", 4, 5)
    assert uuids_found("not_there") == [five[3].uuid, five[4].uuid]


def test_a_cut_off_tail_is_named_when_nothing_is_kept(five: list[AuditEntry]) -> None:
    forget_main()
    with no_triggers():
        at(5).delete()
    assert found() == [("cut_off", 5, 5)]


def test_truncated(five: list[AuditEntry]) -> None:
    forget_main()
    with no_triggers(), connections["audit"].cursor() as cursor:
        cursor.execute("TRUNCATE audit_auditentry")
    assert found() == [("cut_off", 1, 5)]


@pytest.mark.parametrize("position", [6, 9, None, 0, -1])
def test_a_row_inserted_at_an_end_is_named(five: list[AuditEntry], position: int | None) -> None:
    row = insert(forged(position))
    assert found() == [("inserted", position, None)]
    assert uuids_found("inserted") == [row.uuid]


def test_a_row_inserted_in_the_middle_is_named(five: list[AuditEntry]) -> None:
    with no_triggers():
        make_room(3)
        row = insert(forged(3))
    assert found() == [("inserted", 3, None), ("moved", 4, None)]
    assert uuids_found("inserted") == [row.uuid]


def test_a_row_put_in_place_of_another(five: list[AuditEntry]) -> None:
    with no_triggers():
        at(3).delete()
        insert(forged(3))
    assert found() == [("changed", 3, None), ("not_there", None, None)]


def test_hashes_computed_without_the_key_do_not_help(
    five: list[AuditEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever knows this code, and the key of nobody, forges a row and all that follows."""

    def unkeyed(*parts: Any) -> bytes:
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=chain._as_text)
        return hashlib.sha256(text.encode()).digest()

    with no_triggers(), monkeypatch.context() as patch:
        patch.setattr(chain, "_keyed", unkeyed)
        previous = bytes(at(2).get().hash)
        at(3).update(actor="staff:8")
        for row in shipped().filter(position__gte=3):
            place(row, position=row.position, previous_hash=previous)
            previous = bytes(row.hash)
            row.save(using="audit")
        row = forged(6)
        place(row, position=6, previous_hash=previous)
        insert(row)
    assert found() == [
        ("changed", 3, None),
        ("changed", 4, None),
        ("changed", 5, None),
        ("inserted", 6, None),
    ]


def test_two_rows_that_changed_places_are_named(five: list[AuditEntry]) -> None:
    with no_triggers():
        at(2).update(position=-2)
        at(3).update(position=2)
        shipped().filter(position=-2).update(position=3)
    assert found() == [("moved", 2, None), ("moved", 3, None)]
    assert uuids_found("moved") == [five[2].uuid, five[1].uuid]


def test_two_rows_that_exchanged_what_they_say_are_named(five: list[AuditEntry]) -> None:
    second, third = at(2).get(), at(3).get()
    with no_triggers():
        at(2).update(target=third.target)
        at(3).update(target=second.target)
    assert found() == [("changed", 2, None), ("changed", 3, None)]


def test_another_key_is_said_and_nothing_else(five: list[AuditEntry], settings: Any) -> None:
    settings.AUDIT_KEY = "another key of the audit trail, long enough"
    assert found() == [("wrong_key", None, None)]


class TestMain:
    @pytest.mark.parametrize("name", [*CONTENT[1:]])
    def test_a_kept_row_changed_is_named(self, five: list[AuditEntry], name: str) -> None:
        value = {"at": LATER, "before": {"x": 1}, "after": {"x": 1}}.get(name, "x")
        with no_triggers("default"):
            AuditEntry.objects.filter(pk=five[1].pk).update(**{name: value})
        assert found() == [("kept_changed", 2, None)]
        assert uuids_found("kept_changed") == [five[1].uuid]

    def test_a_row_that_was_never_shipped_and_says_so(self, five: list[AuditEntry]) -> None:
        with no_triggers("default"):
            AuditEntry.objects.filter(pk=entry().pk).update(shipped_at=LATER)
        assert found() == [("not_there", None, None)]

    @pytest.mark.parametrize("position", [4, 6])
    def test_a_head_moved_without_the_key(self, five: list[AuditEntry], position: int) -> None:
        """Also together with the tail: the hash of an earlier row is there for all to see."""
        forget_main()
        with no_triggers():
            shipped().filter(position__gt=position).delete()
        earlier = bytes(at(min(position, 5)).get().hash)
        AuditHead.objects.update(count=position, hash=earlier)
        assert found()[0] == ("head_changed", position, None)

    def test_a_head_that_was_removed(self, five: list[AuditEntry]) -> None:
        AuditHead.objects.all().delete()
        assert found() == [("no_head", None, None)]

    def test_a_changed_mark_of_the_key_is_not_taken_for_another_key(
        self, five: list[AuditEntry]
    ) -> None:
        AuditHead.objects.update(key_mark=b"x" * 32)
        assert found() == [("head_changed", 5, None)]


def test_a_genuine_row_beyond_the_head_that_main_lacks_is_named(five: list[AuditEntry]) -> None:
    """So it looks when the main database alone was restored from an earlier day."""
    head, fourth = AuditHead.objects.get(), at(4).get()
    forget_main()
    move_head(head, count=4, last_hash=bytes(fourth.hash))
    head.save()
    assert found() == [("beyond_head", 5, None)]
    assert ship_audit(now=LATER) == 1
    assert found() == []


def test_a_fork_of_the_chain_is_named(five: list[AuditEntry]) -> None:
    """Genuine rows of two continuations, as from two backups."""
    row = at(3).get()
    place(row, position=3, previous_hash=GENESIS)
    with no_triggers():
        row.save(using="audit")
    assert found() == [("broken_link", 3, None), ("broken_link", 4, None)]


def test_many_findings_are_counted_and_not_kept(
    five: list[AuditEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.verification.LISTED", 2)
    monkeypatch.setattr("audit.findings.MOST_SUSPECTS", 2)
    with no_triggers():
        shipped().update(actor="staff:8")
    verdict = verify_audit_trail()
    assert (len(verdict.findings), verdict.unlisted) == (2, 3)
    assert not verdict.is_whole


def test_a_purge_leaves_the_trail_whole(five: list[AuditEntry]) -> None:
    StoreSettings.objects.create(pk=1, keep_audit_days=30)
    assert purge_audit(now=LATER + timedelta(days=31)) == 5
    assert not AuditEntry.objects.exists()
    assert verify_audit_trail().is_whole
    entry()
    ship_all()
    assert (verify_audit_trail().is_whole, shipped().count()) == (True, 6)


class TestCommand:
    def test_it_says_that_all_is_well(self, five: list[AuditEntry]) -> None:
        out = StringIO()
        call_command("verify_audit", stdout=out)
        assert out.getvalue().splitlines() == [
            "5 rows, the head at 5, 5 compared with the main database.",
            "The audit trail is whole.",
        ]

    def test_a_finding_is_a_line_and_an_exit_code(self, five: list[AuditEntry]) -> None:
        with no_triggers():
            at(2).update(actor="staff:8")
        out = StringIO()
        with pytest.raises(CommandError, match="not whole: findings: 1") as failed:
            call_command("verify_audit", stdout=out)
        assert failed.value.returncode == 1
        line = f"changed 2 ({five[1].uuid}): the row was changed: it does not fit its keyed hash"
        assert out.getvalue().splitlines()[0] == line
        assert "is whole" not in out.getvalue()

    def test_json(self, five: list[AuditEntry]) -> None:
        with no_triggers():
            at(2).update(actor="staff:8")
        out = StringIO()
        with pytest.raises(CommandError):
            call_command("verify_audit", "--json", stdout=out)
        said = json.loads(out.getvalue())
        assert (said["whole"], said["rows"], said["head"]) == (False, 5, 5)
        [finding] = said["findings"]
        expected = ("changed", 2, str(five[1].uuid))
        assert (finding["kind"], finding["position"], finding["uuid"]) == expected

    def test_a_long_walk_says_how_far_it_is(
        self, five: list[AuditEntry], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("audit.verification.PROGRESS_EVERY", 2)
        told = StringIO()
        call_command("verify_audit", stdout=StringIO(), stderr=told)
        assert told.getvalue() == "2 rows …\n4 rows …\n"
