"""Goods that arrive, are reported late and are refunded at the same moment."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from core.models import OutboxMessage, OutboxQuerySet
from orders.models import Order, OrderQuerySet
from orders.services.fulfilment import goods_message
from payments.models import Case
from telegram_bot import outcomes, undelivered
from telegram_bot.delivery import LEASE
from telegram_bot.messages import render_message
from telegram_bot.outgoing import Delivery
from telegram_bot.undelivered import record_arrival, report_undelivered
from tests.bot.flows import refund
from tests.concurrency import overlap, unlocked
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


class TestReportedWhileTheyArrive:
    """A case about goods that have arrived would stay open for ever."""

    @pytest.fixture
    def late(self, committed_world: World) -> Order:
        world = committed_world
        customer = world.customer()
        world.credit(customer, 100_000)
        return world.paid(customer, world.product(stock=["the:goods"]))

    def meet(self, world: World, order: Order) -> list[bool]:
        """Return for each case of the order whether it is open once both have ended."""
        works = {"order_id": order.pk, "now": world.now}
        overlap(partial(record_arrival, **works), partial(report_undelivered, **works))
        return [case.closed_at is None for case in Case.objects.all()]

    def test_the_arrival_comes_first(self, committed_world: World, late: Order) -> None:
        assert self.meet(committed_world, late) == []

    def test_control_without_the_lock(
        self, committed_world: World, late: Order, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(OrderQuerySet, "lock", unlocked)
        assert self.meet(committed_world, late) == [True]

    def test_the_report_comes_first(self, committed_world: World, late: Order) -> None:
        works = {"order_id": late.pk, "now": committed_world.now}
        overlap(partial(report_undelivered, **works), partial(record_arrival, **works))
        assert [case.closed_at is None for case in Case.objects.all()] == [False]


class TestRefundedWhileClaimed:
    def test_a_refund_that_is_not_committed_keeps_the_message_back(
        self, committed_world: World
    ) -> None:
        assert self.claimed_during_a_refund(committed_world) == []

    def test_control_without_the_lock_it_would_be_sent(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(OutboxQuerySet, "lock", unlocked)
        assert self.claimed_during_a_refund(committed_world) == ["order_delivered"]

    def claimed_during_a_refund(self, world: World) -> list[str]:
        customer = world.customer(balance=100_000)
        order = world.paid(customer, world.product(stock=["the:goods"]))
        OutboxMessage.objects.exclude(kind="order_delivered").delete()

        def claim() -> list[str]:
            with transaction.atomic():
                rows = OutboxMessage.objects.claim(now=world.now, limit=9, lease=LEASE)
            return [row.kind for row in rows if row.kind == "order_delivered"]

        [claimed] = overlap(partial(refund, order, world), claim)
        return claimed


class TestDeadlock:
    """Whoever records a delivery and whoever reports that it is late lock in the same order."""

    def test_a_delivery_is_recorded_while_it_is_reported(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.meet(committed_world, monkeypatch) == []

    def test_control_the_message_first_deadlocks(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def message_first(delivery: Delivery, now: datetime) -> str:
            with transaction.atomic():
                outcomes._mark_sent(delivery, now)
                outcomes._follow_up(delivery, now)
            return "sent"

        monkeypatch.setattr(outcomes, "record_sent", message_first)
        assert self.meet(committed_world, monkeypatch) == ["deadlock"]

    def meet(self, world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Hold both before their second lock, until each has its first; return what failed."""
        customer = world.customer(balance=100_000)
        order = world.paid(customer, world.product(stock=["the:goods"]))
        row = goods_message(order.pk).get()
        delivery = Delivery(row)
        delivery.outgoing = render_message(row, customer)
        delivery.progress.message_id = 1
        report = partial(report_undelivered, order_id=order.pk, now=world.now)
        record = partial(outcomes.record_sent, delivery, world.now)
        both = threading.Barrier(2)

        def meanwhile(real: Any) -> Any:
            def work(*args: Any, **how: Any) -> Any:
                with suppress(threading.BrokenBarrierError):
                    both.wait(timeout=1)
                return real(*args, **how)

            return work

        # The reporter has the order when it opens the case; the deliverer comes to it with its
        # message locked, or not at all.
        patched = meanwhile(undelivered.open_delivery_case)
        monkeypatch.setattr(undelivered, "open_delivery_case", patched)
        monkeypatch.setattr(outcomes, "_follow_up", meanwhile(outcomes._follow_up))
        with ThreadPoolExecutor(2) as pool:
            futures = [pool.submit(closing(each)) for each in (report, record)]
            results = [each.exception(timeout=30) for each in futures]
        return ["deadlock" for each in results if "deadlock" in str(each)]


def closing(work: Callable[[], Any]) -> Callable[[], Any]:
    def run() -> Any:
        try:
            return work()
        finally:
            connection.close()

    return run
