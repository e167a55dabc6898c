"""The sweep: everything that is due, whatever else is slow or broken."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.utils import timezone

from core.models import OutboxMessage, OutboxState
from core.outbox import enqueue_message
from operations import sweep as sweeping
from operations.sweep import STEP_SECONDS, sweep
from orders.models import Order, OrderStatus
from payments.gateways import get_gateway
from payments.models import GatewayEvent, Payment, PaymentStatus
from payments.services.opening import open_payment
from payments.services.settle import record_completion
from telegram_bot import delivery
from telegram_bot.delivery import LEASE, DeliveryReport
from telegram_bot.messages import OutgoingMessage
from telegram_bot.outgoing import Delivery
from telegram_bot.screens import Screen
from tests.bank import Bank
from tests.world import World

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
GATEWAY_STEPS = ("handle_event", "expire_order", "tend_payment")


class Clock:
    """The real clock as everybody reads it, moved by the test."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 8, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.now.timestamp()

    def later(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timezone, "now", lambda: clock.now)
    monkeypatch.setattr(sweeping, "time", clock)
    return clock


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[OutboxMessage]:
    """Rows as they were when they went to Telegram, which takes them all."""
    rows: list[OutboxMessage] = []

    def send_all(deliveries: list[Delivery]) -> None:
        for each in deliveries:
            rows.append(each.row)
            each.progress.done = each.progress.message_id = 1

    render = lambda row, _customer: OutgoingMessage(Screen(row.kind))  # noqa: E731
    monkeypatch.setattr(delivery, "render_message", render)
    monkeypatch.setattr(delivery, "async_to_sync", lambda function: function)
    monkeypatch.setattr(delivery, "send_all", send_all)
    return rows


def event(txn_id: str, now: datetime, **fields: Any) -> GatewayEvent:
    defaults = {"order_id": "x", "status": "pending", "body": {}, "received_at": now}
    return GatewayEvent.objects.create(
        gateway="pakasir", txn_id=txn_id, **(defaults | {"next_try_at": now} | fields)
    )


def write(chat: int) -> None:
    enqueue_message(recipient=chat, kind="test", references={}, dedupe_key=f"test:{chat}")


def replace_work(monkeypatch: pytest.MonkeyPatch, work: Callable[[str], None]) -> None:
    """Let the gateway steps do `work`, which is told the step's name."""
    for name in GATEWAY_STEPS:
        monkeypatch.setattr(sweeping, name, lambda name=name, **_: work(name))


def one_due_of_each(world: World) -> None:
    payment = world.qris(world.customer(), world.product())
    Payment.objects.filter(pk=payment.pk).update(next_check_at=world.now)
    past = world.now - timedelta(hours=1)
    Order.objects.filter(pk=payment.order_id).update(expires_at=past)
    event("T1", world.now)


class TestWhatIsDue:
    def test_a_completion_whose_effect_was_lost_to_a_crash_is_applied(
        self, world: World, bank: Bank, sent: list[OutboxMessage]
    ) -> None:
        payment = world.qris(world.customer(), world.product())
        open_payment(payment_id=payment.pk, now=world.now)
        bank.pay(payment, webhook="drop")
        payment.refresh_from_db()
        told = get_gateway().status(payment.txn_id or "")
        record_completion(payment_id=payment.pk, told=told, now=world.now)
        done = sweep(now=world.later(seconds=10))
        payment.refresh_from_db()
        assert (payment.status, payment.applied_at) == (PaymentStatus.COMPLETED, world.now)
        assert Order.objects.get().status == OrderStatus.PAID
        assert done["completions"] == 1
        assert [row.kind for row in sent if row.recipient == payment.customer_id][-1:] == [
            "order_delivered"
        ]

    def test_the_oldest_events_come_first(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ages = [3, 9, 6]
        for age in ages:
            event(f"T{age}", world.now, next_try_at=world.now - timedelta(seconds=age))
        seen: list[str] = []

        def handle(*, event_id: int, now: datetime) -> None:
            seen.append(GatewayEvent.objects.get(pk=event_id).txn_id)

        monkeypatch.setattr(sweeping, "handle_event", handle)
        sweep(now=world.now)
        assert seen == ["T9", "T6", "T3"]

    def test_the_command_says_what_was_done(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("sweep")
        lines = capsys.readouterr().out.splitlines()
        steps = ["completions", "messages", "events", "expiries", "openings", "payments"]
        steps += ["undelivered", "probes", "comparisons", "purges", "audit"]
        assert lines == [f"{step}: 0" for step in steps]


class TestFailures:
    def test_a_row_that_raises_does_not_stop_the_next(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = (event(txn_id, world.now) for txn_id in ("T1", "T2"))
        seen: list[int] = []

        def handle(*, event_id: int, now: datetime) -> None:
            seen.append(event_id)
            if event_id == first.pk:
                raise ZeroDivisionError

        monkeypatch.setattr(sweeping, "handle_event", handle)
        assert sweep(now=world.now)["events"] == 1
        assert seen == [first.pk, second.pk]

    def test_a_step_that_raises_does_not_stop_the_next(
        self, world: World, monkeypatch: pytest.MonkeyPatch, sent: list[OutboxMessage]
    ) -> None:
        def broken(**_: Any) -> list[int]:
            raise ZeroDivisionError

        monkeypatch.setattr(sweeping, "due_orders", broken)
        payment = world.qris(world.customer(), world.product())
        seen: list[int] = []
        monkeypatch.setattr(
            sweeping, "tend_payment", lambda *, payment_id, now: seen.append(payment_id)
        )
        sweep(now=world.later(seconds=30))
        assert seen == [payment.pk]

    @pytest.mark.django_db(transaction=True, databases=["default", "audit"])
    def test_without_the_database_it_raises_at_once(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for txn_id in ("T1", "T2"):
            event(txn_id, committed_world.now)
        seen: list[int] = []

        def handle(*, event_id: int, now: datetime) -> None:
            seen.append(event_id)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

        monkeypatch.setattr(sweeping, "handle_event", handle)
        with pytest.raises(OperationalError):
            sweep(now=committed_world.now)
        connection.close()
        assert len(seen) == 1


class TestSlowServers:
    def test_a_message_is_leased_from_when_it_is_taken_up(
        self,
        world: World,
        clock: Clock,
        sent: list[OutboxMessage],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        event("T1", clock.now)

        def slow(**_: Any) -> None:
            clock.later(61)
            write(chat=5)

        monkeypatch.setattr(sweeping, "handle_event", slow)
        sweep()
        assert [row.leased_until for row in sent] == [clock.now + LEASE]
        assert OutboxMessage.objects.get().sent_at == clock.now

    def test_every_row_is_done_with_the_time_it_is_done_at(
        self, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        began = clock.now
        for number in range(3):
            event(f"T{number}", began)
        times: list[datetime] = []

        def handle(*, event_id: int, now: datetime) -> None:
            times.append(now)
            clock.later(1)

        monkeypatch.setattr(sweeping, "handle_event", handle)
        sweep()
        assert times == [began + timedelta(seconds=seconds) for seconds in range(3)]

    def test_a_silent_gateway_costs_each_step_one_call_and_the_rest_follows(
        self, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        began = clock.now
        for number in range(20):
            event(f"T{number}", began)
        calls: list[int] = []

        def silent(*, event_id: int, now: datetime) -> None:
            calls.append(event_id)
            GatewayEvent.objects.filter(pk=event_id).update(next_try_at=now + timedelta(minutes=1))
            clock.later(8)

        monkeypatch.setattr(sweeping, "handle_event", silent)
        sweep()
        assert len(calls) == 1
        assert clock.now - began == timedelta(seconds=8)
        sweep()
        assert len(set(calls)) == 2

    def test_messages_come_first_and_between_the_steps_that_ask_the_gateway(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one_due_of_each(world)
        seen: list[str] = []
        replace_work(monkeypatch, seen.append)

        def deliver(*, now: datetime | None, seconds: float) -> DeliveryReport:
            assert seconds == STEP_SECONDS
            seen.append("messages")
            return DeliveryReport(sent=1)

        monkeypatch.setattr(sweeping, "deliver_outbox", deliver)
        done = sweep(now=world.now)
        assert seen == [
            "messages",
            "handle_event",
            "messages",
            "expire_order",
            "messages",
            "tend_payment",
            "messages",
        ]
        assert done["messages"] == 4

    def test_progress_is_told_between_all_steps(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one_due_of_each(world)
        seen: list[str] = []
        replace_work(monkeypatch, seen.append)
        sweep(now=world.now, after_step=lambda: seen.append("alive"))
        gateway = [position for position, name in enumerate(seen) if name != "alive"]
        assert [seen[position] for position in gateway] == list(GATEWAY_STEPS)
        assert all(seen[position + 1] == "alive" for position in gateway)

    def test_one_messages_step_begins_no_batch_after_its_time(
        self, world: World, sent: list[OutboxMessage]
    ) -> None:
        for chat in range(1, 4):
            write(chat)
        report = delivery.deliver_outbox(now=world.now, limit=2, seconds=0)
        assert report.sent == 2
        assert OutboxMessage.objects.filter(state=OutboxState.PENDING).count() == 1
