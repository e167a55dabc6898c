"""The sweep and a gateway that is far away, limited or gone: nothing starves, nothing is lost."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from catalog.models import StockState
from core.models import OutboxMessage, OutboxState
from core.outbox import enqueue_message
from operations import sweep as sweeping
from operations.sweep import sweep
from orders.models import Order, OrderStatus
from payments.gateways.pakasir import PakasirGateway
from payments.models import GatewayEvent, GatewaySilence, Payment, PaymentStatus, StatusReport
from payments.services.opening import open_payment
from payments.services.outages import remember_silence
from payments.services.schedule import OPENING_LEASE
from telegram_bot.delivery import LEASE, DeliveryReport
from tests.bank import Bank
from tests.concurrency import at_once
from tests.payments.steps import kinds, opened, status_of
from tests.world import World

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
EVERY = timedelta(seconds=2)


@pytest.fixture(autouse=True)
def _todays_report_is_done(db: Any) -> None:
    """Or it would compare, whatever the hour these tests run at."""
    now = timezone.now()
    days = {(now + timedelta(days=ahead, hours=7)).date() for ahead in range(3)}
    for day in days:
        StatusReport.objects.create(day=day, started_at=now, finished_at=now)


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no message leave: these tests are about what comes before."""
    monkeypatch.setattr(sweeping, "deliver_outbox", lambda **_: DeliveryReport())


def sweeps(world: World, seconds: float) -> None:
    until = world.now + timedelta(seconds=seconds)
    while world.now < until:
        world.later(seconds=EVERY.total_seconds())
        sweep(now=world.now)


@pytest.mark.usefixtures("quiet")
class TestPolling:
    @pytest.mark.slow
    @pytest.mark.parametrize("paid_after", [3, 16, 44])
    def test_of_many_open_payments_a_lost_webhook_costs_a_minute_at_most(
        self, world: World, bank: Bank, paid_after: int
    ) -> None:
        product = world.product(stock=40)
        payments = [opened(world, world.customer(), product) for _ in range(40)]
        sweeps(world, paid_after)
        for payment in payments[::13]:
            bank.pay(payment, webhook="drop")
        paid_at = world.now
        sweeps(world, 60)
        for payment in payments[::13]:
            payment.refresh_from_db()
            assert payment.completed_at is not None
            assert payment.completed_at - paid_at <= timedelta(seconds=60)

    @pytest.mark.slow
    def test_many_who_pay_at_once_keep_no_poll_and_no_expiry_waiting(
        self, world: World, bank: Bank, settings: Any
    ) -> None:
        product = world.product(stock=40)
        polled, expiring = [opened(world, world.customer(), product) for _ in range(2)]
        settings.PAKASIR_CALLS_PER_SECOND = 2
        past = world.now - timedelta(minutes=1)
        Order.objects.filter(pk=expiring.order_id).update(expires_at=past)
        Payment.objects.filter(pk=expiring.pk).update(expires_at=past)
        bank.pay(polled, webhook="drop")
        crowd = [world.qris(world.customer(), product) for _ in range(30)]
        sweep(now=world.later(seconds=20))
        sweep(now=world.later(seconds=5))
        assert status_of(polled) == (OrderStatus.PAID, PaymentStatus.COMPLETED)
        assert status_of(expiring) == (OrderStatus.EXPIRED, PaymentStatus.EXPIRED)
        made = Payment.objects.filter(pk__in=[each.pk for each in crowd], txn_id__isnull=False)
        assert made.count() < 30
        assert not OutboxMessage.objects.filter(kind="payment_unavailable").exists()

    def test_a_silent_gateway_is_probed_and_its_end_told(self, world: World, bank: Bank) -> None:
        for _ in range(3):
            remember_silence(gateway="pakasir", moment=world.later(seconds=20))
        sweeps(world, 20)
        assert not GatewaySilence.objects.exists()
        assert kinds(None) == ["staff_gateway_down", "staff_gateway_up"]


@pytest.mark.usefixtures("quiet")
class TestStaleLeases:
    def test_a_payment_whose_opener_died_is_opened_by_the_sweep(
        self, world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        payment = world.qris(world.customer(), world.product())

        def die(*_asked: Any, **_named: Any) -> None:
            raise SystemExit

        with monkeypatch.context() as patch:
            patch.setattr(PakasirGateway, "create", die)
            with pytest.raises(SystemExit):
                open_payment(payment_id=payment.pk, now=world.now)
        sweep(now=world.now + OPENING_LEASE - timedelta(seconds=1))
        assert status_of(payment)[1] == PaymentStatus.CREATING
        sweep(now=world.now + OPENING_LEASE)
        assert status_of(payment)[1] == PaymentStatus.PENDING


def test_a_message_whose_deliverer_died_is_taken_up_by_the_sweep(world: World) -> None:
    enqueue_message(recipient=None, kind="staff_case", references={}, dedupe_key="x")
    claimed = OutboxMessage.objects.claim(now=world.now, limit=1, lease=LEASE)
    assert len(claimed) == 1
    sweep(now=world.now + LEASE - timedelta(seconds=1))
    assert OutboxMessage.objects.get().state == OutboxState.PENDING
    sweep(now=world.now + LEASE + timedelta(seconds=1))
    assert OutboxMessage.objects.get().state == OutboxState.DROPPED  # there is no staff to tell
    assert OutboxMessage.objects.get().attempts == 2


@pytest.mark.usefixtures("quiet")
@pytest.mark.django_db(transaction=True, databases=["default", "audit"])
class TestSideBySide:
    @pytest.fixture(autouse=True)
    def _four_events(self, committed_world: World, settings: Any) -> None:
        settings.SWEEP_THREADS = 4
        now = committed_world.now
        for number in range(4):
            GatewayEvent.objects.create(
                gateway="pakasir",
                txn_id=f"T{number}",
                order_id="x",
                status="pending",
                body={},
                received_at=now,
                next_try_at=now,
            )

    def meeting(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let each row wait for three others to be under way."""
        barrier = threading.Barrier(4)

        def handle(*, event_id: int, now: datetime) -> None:
            GatewayEvent.objects.get(pk=event_id)
            barrier.wait(timeout=5)

        monkeypatch.setattr(sweeping, "handle_event", handle)

    def test_several_rows_are_with_the_gateway_at_a_time(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.meeting(monkeypatch)
        assert sweep(now=committed_world.now)["events"] == 4

    @pytest.mark.slow
    def test_control_with_one_thread_nobody_is_met(
        self, committed_world: World, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.SWEEP_THREADS = 1
        monkeypatch.setattr(sweeping, "STEP_SECONDS", 0.1)
        self.meeting(monkeypatch)
        assert sweep(now=committed_world.now)["events"] == 0

    def test_without_the_database_it_raises_as_ever(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def handle(*, event_id: int, now: datetime) -> None:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database()"
                )

        monkeypatch.setattr(sweeping, "handle_event", handle)
        with pytest.raises(OperationalError):
            sweep(now=committed_world.now)
        connection.close()


@pytest.mark.usefixtures("quiet")
@pytest.mark.django_db(transaction=True, databases=["default", "audit"])
def test_many_sweeps_at_once_deliver_and_free_once(
    committed_world: World, bank: Bank, settings: Any
) -> None:
    """Two schedulers whose lock failed, and a command: rows are claimed one by one."""
    world = committed_world
    product = world.product(stock=3)
    paid, unpaid = [opened(world, world.customer(), product) for _ in range(2)]
    bank.pay(paid, webhook="drop")
    world.later(minutes=11)
    for _ in range(3):
        moment = world.later(seconds=5)
        at_once([lambda moment=moment: sweep(now=moment)] * 3)
    assert status_of(paid) == (OrderStatus.PAID, PaymentStatus.COMPLETED)
    assert status_of(unpaid) == (OrderStatus.EXPIRED, PaymentStatus.EXPIRED)
    assert product.stock.filter(state=StockState.SOLD).count() == 1
    assert product.stock.available().count() == 2
    assert kinds(paid.customer_id).count("order_delivered") == 1
    assert kinds(unpaid.customer_id).count("order_expired") == 1
