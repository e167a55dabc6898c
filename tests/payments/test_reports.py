"""The nightly comparison: everything recent, once, within the limits, whatever crashes."""

from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from core.clock import local_date
from core.models import OutboxMessage
from orders.models import OrderStatus
from payments.gateways.base import GatewayUnavailable
from payments.gateways.pakasir import PakasirGateway
from payments.models import Payment, PaymentStatus, ReportQuerySet, StatusReport
from payments.services import reports
from payments.services.cancel import cancel_order
from payments.services.reports import (
    PAUSE,
    TRIES,
    compare_for_report,
    current_report,
    finish_report,
    next_to_compare,
)
from tests.bank import Bank
from tests.concurrency import overlap, unlocked
from tests.payments.steps import handle_events, kinds, opened, status_of
from tests.world import World

TOMORROW = local_date(timezone.now()) + timedelta(days=1)
# Ahead of the real clock, which the adapter reads to create nothing after a payment's expiry.
NIGHT = datetime.combine(TOMORROW, time(3), ZoneInfo("Asia/Jakarta")).astimezone(UTC)


@pytest.fixture
def world(db: Any) -> World:
    return World(NIGHT - timedelta(hours=1))


def go_on(world: World) -> StatusReport | None:
    """Do what one sweep would do."""
    report = current_report(now=world.now)
    if report is None:
        return None
    for payment_id in next_to_compare(report=report, now=world.now, limit=10):
        compare_for_report(report_id=report.pk, payment_id=payment_id, now=world.now)
    finish_report(report_id=report.pk, now=world.now)
    report.refresh_from_db()
    return report


def at_night(world: World) -> StatusReport:
    world.now = NIGHT
    report = go_on(world)
    assert report is not None
    return report


def several(world: World, count: int) -> list[Payment]:
    product = world.product(stock=count)
    return [opened(world, world.customer(), product) for _ in range(count)]


class TestWhenItIsDone:
    def test_it_begins_once_a_day_at_three_by_the_stores_clock(
        self, world: World, bank: Bank
    ) -> None:
        assert current_report(now=NIGHT - timedelta(seconds=1)) is None
        assert at_night(world).day == TOMORROW
        assert current_report(now=NIGHT + timedelta(hours=20)) is None
        assert current_report(now=NIGHT + timedelta(hours=24)) is not None
        assert StatusReport.objects.count() == 2

    def test_without_payments_nobody_is_told(self, world: World, bank: Bank) -> None:
        assert at_night(world).finished_at == NIGHT
        assert not OutboxMessage.objects.exists()

    def test_it_is_about_what_was_made_ended_or_completed_within_two_days(
        self, world: World, bank: Bank
    ) -> None:
        fresh, old, lately_ended, without_transaction = several(world, 4)
        past = NIGHT - timedelta(hours=49)
        Payment.objects.exclude(pk=fresh.pk).update(created_at=past, expires_at=past)
        Payment.objects.filter(pk=lately_ended.pk).update(
            status=PaymentStatus.EXPIRED, ended_at=NIGHT - timedelta(hours=47)
        )
        Payment.objects.filter(pk=without_transaction.pk).update(
            txn_id=None, status=PaymentStatus.CREATING
        )
        world.now = NIGHT
        report = current_report(now=NIGHT)
        assert report is not None
        assert old.pk not in next_to_compare(report=report, now=NIGHT, limit=10)
        assert next_to_compare(report=report, now=NIGHT, limit=10) == [fresh.pk, lately_ended.pk]

    def test_what_is_made_after_its_beginning_is_left_to_the_next(
        self, world: World, bank: Bank
    ) -> None:
        world.now = NIGHT
        report = current_report(now=NIGHT)
        assert report is not None
        world.later(seconds=1)
        several(world, 1)
        assert next_to_compare(report=report, now=world.now, limit=10) == []


class TestWhatItFinds:
    def test_when_all_agree_there_is_one_quiet_line(self, world: World, bank: Bank) -> None:
        paid, _open, cancelled = several(world, 3)
        bank.pay(paid)
        handle_events(world)
        cancel_order(order_id=cancelled.order_id, customer_id=cancelled.customer_id, now=world.now)
        report = at_night(world)
        assert (report.checked, report.unanswered, report.differences) == (3, 0, [])
        assert report.finished_at == NIGHT
        assert kinds(None).count("staff_report") == 1

    def test_what_is_completed_there_and_not_here_is_settled_and_recorded(
        self, world: World, bank: Bank
    ) -> None:
        [payment] = several(world, 1)
        bank.pay(payment, webhook="drop")
        report = at_night(world)
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)
        [entry] = report.differences
        assert (entry["payment"], entry["reference"]) == (payment.pk, payment.reference)
        assert (entry["ours"], entry["theirs"]) == ("pending", "completed")
        assert (entry["our_amount"], entry["their_amount"]) == ("50000", "50000")
        assert entry["remains"] is False
        assert (report.checked, report.unanswered) == (1, 0)

    def test_what_is_completed_here_and_not_there_remains(self, world: World, bank: Bank) -> None:
        [payment] = several(world, 1)
        Payment.objects.filter(pk=payment.pk).update(
            status=PaymentStatus.COMPLETED,
            received_amount=50_000,
            completed_at=world.now,
            applied_at=world.now,
        )
        [entry] = at_night(world).differences
        assert (entry["ours"], entry["theirs"]) == ("completed", "pending")
        assert entry["remains"] is True

    def test_another_amount_there_than_here_remains(self, world: World, bank: Bank) -> None:
        [payment] = several(world, 1)
        bank.pay(payment)
        handle_events(world)
        Payment.objects.filter(pk=payment.pk).update(received_amount=40_000)
        [entry] = at_night(world).differences
        assert (entry["our_amount"], entry["their_amount"]) == ("40000", "50000")
        assert entry["remains"] is True

    def test_a_transaction_the_gateway_does_not_know_differs_if_it_matters_here(
        self, world: World, bank: Bank
    ) -> None:
        still_open, ended = several(world, 2)
        for payment in (still_open, ended):
            Payment.objects.filter(pk=payment.pk).update(txn_id=f"TXNGONE{payment.pk}")
        Payment.objects.filter(pk=ended.pk).update(
            status=PaymentStatus.EXPIRED, ended_at=world.now
        )
        [entry] = at_night(world).differences
        assert (entry["payment"], entry["theirs"]) == (still_open.pk, "unknown")
        assert (entry["their_amount"], entry["remains"]) == (None, True)


class TestLimits:
    def test_a_transaction_asked_about_a_moment_ago_is_asked_later(
        self, world: World, bank: Bank
    ) -> None:
        [payment] = several(world, 1)
        bank.pay(payment, webhook="drop")
        Payment.objects.update(last_checked_at=NIGHT - timedelta(seconds=3))
        report = at_night(world)
        assert (report.checked, report.finished_at) == (0, None)
        assert Payment.objects.get().last_checked_at == NIGHT - timedelta(seconds=3)
        world.later(seconds=PAUSE.total_seconds())
        go_on(world)
        report.refresh_from_db()
        assert (report.checked, report.finished_at) == (1, world.now)
        assert report.differences[0]["tries"] == 1

    def test_asking_for_the_report_counts_for_everybody_else(
        self, world: World, bank: Bank
    ) -> None:
        [payment] = several(world, 1)
        at_night(world)
        payment.refresh_from_db()
        assert (payment.last_checked_at, payment.last_answer_at) == (NIGHT, NIGHT)

    def test_the_pause_of_a_completion_that_waits_for_its_effect_stays(
        self, world: World, bank: Bank
    ) -> None:
        [payment] = several(world, 1)
        bank.pay(payment)
        handle_events(world)
        later = NIGHT + timedelta(seconds=20)
        Payment.objects.update(next_check_at=later)
        at_night(world)
        assert Payment.objects.get().next_check_at == later

    def test_no_answer_is_counted_after_a_bounded_number_of_questions(
        self, world: World, bank: Bank
    ) -> None:
        several(world, 1)
        bank.fail("status", "500", times=100)
        report = at_night(world)
        for _ in range(10):
            world.later(seconds=PAUSE.total_seconds())
            go_on(world)
        report.refresh_from_db()
        assert bank.faults_used() == [TRIES]
        assert (report.checked, report.unanswered) == (0, 1)
        assert report.finished_at == NIGHT + (TRIES - 1) * PAUSE
        assert kinds(None).count("staff_report") == 1

    def test_a_portion_is_bounded_and_the_next_goes_on(self, world: World, bank: Bank) -> None:
        payments = several(world, 3)
        world.now = NIGHT
        report = current_report(now=NIGHT)
        assert report is not None
        [first, second] = next_to_compare(report=report, now=NIGHT, limit=2)
        for payment_id in (first, second):
            compare_for_report(report_id=report.pk, payment_id=payment_id, now=NIGHT)
        assert not finish_report(report_id=report.pk, now=NIGHT)
        report.refresh_from_db()
        assert (report.checked, report.last_payment_id) == (2, second)
        assert next_to_compare(report=report, now=NIGHT, limit=2) == [payments[2].pk]


class Killed(BaseException):
    """The process ended: nothing of it runs any more."""


def die(*_asked: Any, **_named: Any) -> None:
    raise Killed


class TestCrashes:
    @pytest.mark.parametrize("victim", ["status", "settle", "note"])
    def test_whenever_it_dies_the_difference_is_found_and_kept(
        self, world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch, victim: str
    ) -> None:
        [payment] = several(world, 1)
        bank.pay(payment, webhook="drop")
        places = {
            "status": (PakasirGateway, "status"),
            "settle": ("payments.services.comparison", "settle"),
            "note": (reports, "_note_outcome"),
        }
        place, name = places[victim]
        with monkeypatch.context() as patch:
            if isinstance(place, str):
                patch.setattr(f"{place}.{name}", die)
            else:
                patch.setattr(place, name, die)
            with pytest.raises(Killed):
                at_night(world)
        world.later(seconds=PAUSE.total_seconds())
        report = go_on(world)
        assert report is not None
        [entry] = report.differences
        assert (entry["ours"], entry["theirs"]) == ("pending", "completed")
        assert entry["remains"] is False
        assert (report.checked, report.finished_at) == (1, world.now)
        assert status_of(payment)[0] == OrderStatus.PAID


@pytest.mark.django_db(transaction=True, databases=["default", "audit"])
class TestTwoAtOnce:
    def test_a_payment_is_compared_by_one_of_them(
        self, committed_world: World, bank: Bank
    ) -> None:
        payment, report = self.begun(committed_world)
        begin = partial(reports._begin, report.pk, payment.pk, NIGHT)
        assert overlap(begin, begin) == [False]

    def begun(self, world: World) -> tuple[Payment, StatusReport]:
        world.now = NIGHT - timedelta(hours=1)
        payment = world.qris(world.customer(), world.product())
        report = StatusReport.objects.create(day=NIGHT.date(), started_at=NIGHT)
        return payment, report

    def append_both(self, world: World) -> int:
        world.now = NIGHT - timedelta(hours=1)
        product = world.product(stock=2)
        first, second = [world.qris(world.customer(), product) for _ in range(2)]
        report = StatusReport.objects.create(day=NIGHT.date(), started_at=NIGHT)
        overlap(
            partial(reports._begin, report.pk, first.pk, NIGHT),
            partial(reports._begin, report.pk, second.pk, NIGHT),
        )
        report.refresh_from_db()
        return len(report.differences)

    def test_neither_loses_the_others_entry(self, committed_world: World) -> None:
        assert self.append_both(committed_world) == 2

    def test_control_without_the_reports_lock_an_entry_is_lost(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ReportQuerySet, "lock", unlocked)
        assert self.append_both(committed_world) == 1


def test_a_gateway_that_goes_away_meanwhile_leaves_no_gap(
    world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    payments = several(world, 3)

    def silent(*_asked: Any) -> None:
        raise GatewayUnavailable("timeout")

    with monkeypatch.context() as patch:
        patch.setattr(PakasirGateway, "status", silent)
        report = at_night(world)
    assert (report.checked, report.finished_at) == (0, None)
    world.later(seconds=PAUSE.total_seconds())
    go_on(world)
    report.refresh_from_db()
    assert (report.checked, report.unanswered, report.differences) == (3, 0, [])
    assert report.last_payment_id == payments[-1].pk
