"""Shipping: one at a time, whatever commits late, and whole again after any crash."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.db.models import QuerySet

from audit import shipping
from audit.chain import GENESIS, is_genuine
from audit.errors import AuditChainBroken
from audit.models import AuditEntry, AuditHead
from audit.services import ship_audit
from audit.verification import verify_audit_trail
from tests.audit.steps import (
    LATER,
    entries,
    entry,
    found,
    no_triggers,
    shipped,
)
from tests.audit.test_verification import forged
from tests.concurrency import PATIENCE, WAITS, overlap

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
at_once = pytest.mark.django_db(transaction=True, databases=["default", "audit"])


def unshipped() -> int:
    return AuditEntry.objects.filter(shipped_at=None).count()


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


def die_after_the_copies(monkeypatch: pytest.MonkeyPatch, ship: Callable[[], Any]) -> None:
    create = QuerySet.bulk_create

    def create_and_die(self: Any, *args: Any, **options: Any) -> Any:
        create(self, *args, **options)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(QuerySet, "bulk_create", create_and_die)
        with pytest.raises(Killed):
            ship()


ship = partial(ship_audit, now=LATER)


class TestChain:
    def test_every_copy_has_its_place_and_the_head_names_the_last(self) -> None:
        entries(3)
        assert ship() == 3
        rows = list(shipped())
        assert [row.position for row in rows] == [1, 2, 3]
        hashes = [bytes(row.hash) for row in rows]
        assert [bytes(row.previous_hash) for row in rows] == [GENESIS, *hashes[:2]]
        assert all(is_genuine(row) for row in rows)
        head = AuditHead.objects.get()
        assert (head.count, bytes(head.hash)) == (3, hashes[2])

    def test_the_next_batch_goes_on_where_the_last_ended(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shipping, "BATCH", 2)
        entries(5)
        assert [ship() for _ in range(4)] == [2, 2, 1, 0]
        assert [row.position for row in shipped()] == [1, 2, 3, 4, 5]
        assert found() == []

    def test_the_main_rows_keep_no_place(self) -> None:
        entry()
        ship()
        row = AuditEntry.objects.get()
        assert (row.position, row.previous_hash, row.hash) == (None, None, None)
        assert row.shipped_at == LATER


class TestCrash:
    def test_copies_that_were_not_marked_are_adopted(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        entries(2)
        ship()
        entries(3)
        die_after_the_copies(monkeypatch, ship)
        assert (shipped().count(), unshipped(), AuditHead.objects.get().count) == (5, 3, 2)
        verdict = verify_audit_trail()
        assert (verdict.is_whole, verdict.waiting) == (True, 3)
        entry()
        assert [ship(), ship(), ship()] == [3, 1, 0]
        assert (shipped().count(), unshipped(), AuditHead.objects.get().count) == (6, 0, 6)
        assert found() == []

    def test_more_copies_than_a_batch_are_adopted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        entries(5)
        die_after_the_copies(monkeypatch, ship)
        monkeypatch.setattr(shipping, "BATCH", 2)
        assert [ship() for _ in range(4)] == [2, 2, 1, 0]
        assert (shipped().count(), unshipped(), found()) == (5, 0, [])

    def test_a_crash_before_the_copies_leaves_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        entry()

        def die(*_args: Any, **_options: Any) -> None:
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(QuerySet, "bulk_create", die)
            with pytest.raises(Killed):
                ship()
        assert (shipped().count(), unshipped()) == (0, 1)
        assert not AuditHead.objects.exists()
        assert ship() == 1
        assert found() == []


class TestRefusals:
    """On a trail that was tampered with nothing is put: it would look like a continuation."""

    def refused(self, match: str) -> None:
        before = (AuditHead.objects.values().get(), list(shipped().values()))
        waiting = entry()
        with pytest.raises(AuditChainBroken, match=match):
            ship()
        assert (AuditHead.objects.values().get(), list(shipped().values())) == before
        waiting.refresh_from_db()
        assert waiting.shipped_at is None

    def test_a_tail_that_is_cut_off(self) -> None:
        entries(3)
        ship()
        with no_triggers():
            shipped().filter(position=3).delete()
        self.refused("lacks row 3")

    def test_a_last_row_with_another_hash(self) -> None:
        entry()
        ship()
        with no_triggers():
            shipped().update(hash=b"x" * 32)
        self.refused("lacks row 1")

    @pytest.mark.parametrize("position", [2, 3])
    def test_a_forged_row_beyond_the_head(self, position: int) -> None:
        entry()
        ship()
        row = forged(position)
        row.previous_hash = bytes(shipped().get().hash)
        row.save(using="audit", force_insert=True)
        self.refused("no shipper has put it")

    def test_a_copy_that_says_something_else_than_its_entry(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        entry()
        ship()
        entry("product:2")
        die_after_the_copies(monkeypatch, ship)
        with no_triggers("default"):
            AuditEntry.objects.filter(target="product:2").update(actor="staff:8")
        self.refused("differs between the databases")

    def test_another_key(self, settings: Any) -> None:
        entry()
        ship()
        settings.AUDIT_KEY = "another key of the audit trail, long enough"
        self.refused("AUDIT_KEY is not the key")

    def test_a_head_written_by_somebody_else(self) -> None:
        entry()
        ship()
        AuditHead.objects.update(count=0, hash=GENESIS)
        self.refused("changed by somebody else")


@at_once
class TestLateCommit:
    def test_a_lower_id_that_commits_late_is_shipped(self, transactional_db: Any) -> None:
        def write_and_ship() -> int:
            entry("product:late")
            return ship()

        early: list[AuditEntry] = []
        [count] = overlap(lambda: early.append(entry("product:early")), write_and_ship)
        assert count == 1
        assert early[0].pk < AuditEntry.objects.get(target="product:late").pk
        assert ship() == 1
        targets = list(shipped().values_list("target", flat=True))
        assert targets == ["product:late", "product:early"]
        assert (unshipped(), found()) == (0, [])


@at_once
class TestTwoShippers:
    def two_shippers(self) -> list[Any]:
        """Let both come to where they store their copies, then let them go on."""
        entries(3)
        with ThreadPoolExecutor(2) as pool:
            with transaction.atomic(using="audit"), connections["audit"].cursor() as cursor:
                cursor.execute("LOCK TABLE audit_auditentry IN SHARE MODE")  # reading goes on
                runs = [begin_shipping(pool) for _ in range(2)]
            return [run.result(timeout=PATIENCE) for run in runs]

    def test_the_second_leaves_at_once_and_does_no_harm(self, transactional_db: Any) -> None:
        assert self.two_shippers() == [3, 0]
        assert (shipped().count(), unshipped(), found()) == (3, 0, [])

    def test_control_without_the_lock_both_give_out_the_same_places(
        self, transactional_db: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shipping, "_take_turn", lambda: True)
        results = self.two_shippers()
        assert [type(result) for result in results].count(IntegrityError) == 1

    def test_the_lock_ends_with_the_transaction(self, transactional_db: Any) -> None:
        entry()
        results = overlap(ship, ship, undo=True)
        assert results == [0]
        assert ship() == 1
        assert found() == []


def begin_shipping(pool: ThreadPoolExecutor) -> Future[Any]:
    """Start a shipper and return when it has ended or waits in the audit database."""
    started: Future[int] = Future()

    def work() -> Any:
        try:
            with connections["audit"].cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                started.set_result(cursor.fetchone()[0])
            return ship()
        except IntegrityError as error:
            return error
        finally:
            connections.close_all()

    run = pool.submit(work)
    give_up_at = time.monotonic() + PATIENCE
    while not run.done() and not is_waiting(started.result(timeout=PATIENCE)):
        assert time.monotonic() < give_up_at, "it neither ended nor waits for a lock"
        time.sleep(0.01)
    return run


def is_waiting(process_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(WAITS, [process_id])
        return bool(cursor.fetchone()[0])
