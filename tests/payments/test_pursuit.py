"""The scheduled expiry: from reserved to freed in a few seconds; the sweep does it as well."""

from datetime import datetime, timedelta
from typing import Any

import django_rq
import pytest

from core.models import StoreSettings
from orders.models import OrderStatus
from payments import jobs
from payments.models import Payment, PaymentStatus
from payments.services.expiry import due_orders, expire_order
from payments.services.pursuit import MARGIN, first_step_at, pursue_expiry
from payments.services.schedule import CHECK_PAUSE
from tests.bank import Bank
from tests.concurrency import at_once
from tests.payments.steps import at_the_gateway, opened, status_of
from tests.world import World

EXPIRED = (OrderStatus.EXPIRED, PaymentStatus.EXPIRED)


def follow(world: World, payment: Payment) -> list[datetime]:
    """Do what the job does each time it wakes; return when it woke."""
    next_at: datetime | None = first_step_at(payment)
    woke: list[datetime] = []
    while next_at is not None:
        assert len(woke) < 20, "it never ends"
        world.now = next_at
        woke.append(next_at)
        next_at = pursue_expiry(payment_id=payment.pk, now=world.now)
    return woke


def test_an_unpaid_order_is_freed_five_seconds_after_its_grace(
    sale: tuple[Any, Any, Payment], world: World, bank: Bank
) -> None:
    _customer, product, payment = sale
    woke = follow(world, payment)
    assert status_of(payment) == EXPIRED
    assert product.stock.available().count() == 3
    assert at_the_gateway(bank, payment) == "canceled"
    grace = payment.expires_at + timedelta(seconds=15)
    assert woke == [grace, grace + CHECK_PAUSE + MARGIN]


def test_only_what_was_asked_after_the_cancel_was_answered_has_read_again(
    sale: tuple[Any, Any, Payment], world: World, bank: Bank
) -> None:
    """A slow cancel: a question asked while it was on its way knows nothing of its outcome."""
    _customer, _product, payment = sale
    world.now = first_step_at(payment)
    expire_order(order_id=payment.order_id or 0, now=world.now)
    payment.refresh_from_db()
    assert payment.closed_remotely_at is not None
    assert payment.closed_remotely_at > world.now
    Payment.objects.update(
        closed_remotely_at=world.now + timedelta(seconds=8),
        last_answer_at=world.now + timedelta(seconds=6),
        last_checked_at=world.now + timedelta(seconds=6),
    )
    bank.pay(payment, webhook="drop")
    for seconds in (9, 12):
        step = world.now + timedelta(seconds=seconds)
        expire_order(order_id=payment.order_id or 0, now=step)
    assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)


def test_a_job_that_comes_early_waits_for_the_grace(
    sale: tuple[Any, Any, Payment], world: World, bank: Bank
) -> None:
    payment = sale[2]
    StoreSettings.objects.create(pk=1, expiry_grace_seconds=60)
    next_at = pursue_expiry(payment_id=payment.pk, now=payment.expires_at)
    assert next_at == payment.expires_at + timedelta(seconds=60) + MARGIN
    assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.PENDING)


def test_what_is_paid_or_over_needs_no_further_step(
    sale: tuple[Any, Any, Payment], world: World, bank: Bank
) -> None:
    payment = sale[2]
    bank.pay(payment, webhook="drop")
    world.now = first_step_at(payment)
    assert pursue_expiry(payment_id=payment.pk, now=world.now) is None
    assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)
    assert pursue_expiry(payment_id=payment.pk, now=world.later(seconds=5)) is None


def test_a_silent_gateway_is_left_to_the_sweep(
    sale: tuple[Any, Any, Payment], world: World, bank: Bank
) -> None:
    payment = sale[2]
    bank.fail("status", "500", times=100)
    assert follow(world, payment) == [payment.expires_at + timedelta(seconds=15)]
    assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.PENDING)
    assert due_orders(now=world.now, limit=10) == [payment.order_id]


def test_a_payment_that_was_never_opened_ends_in_one_step(world: World, bank: Bank) -> None:
    payment = world.qris(world.customer(), world.product())
    assert len(follow(world, payment)) == 1
    assert status_of(payment) == EXPIRED


@pytest.mark.django_db(transaction=True, databases=["default", "audit"])
class TestJob:
    @pytest.fixture(autouse=True)
    def _empty_schedule(self) -> Any:
        self.forget()
        yield
        self.forget()

    def forget(self) -> None:
        queue = django_rq.get_queue("default")
        for key in queue.scheduled_job_registry.get_job_ids():
            queue.scheduled_job_registry.remove(key, delete_job=True)
        queue.empty()
        queue.connection.close()

    def scheduled(self) -> list[tuple[str, tuple[int, ...], datetime]]:
        queue = django_rq.get_queue("default")
        registry = queue.scheduled_job_registry
        found = [queue.fetch_job(key) for key in registry.get_job_ids()]
        return [
            (job.func_name, job.args, registry.get_scheduled_time(job)) for job in found if job
        ]

    def test_is_scheduled_with_the_payment_for_the_end_of_its_grace(
        self, committed_world: World
    ) -> None:
        payment = committed_world.qris(committed_world.customer(), committed_world.product())
        [(path, args, moment)] = self.scheduled()
        assert (path, args) == ("payments.jobs.expire_payment", (payment.pk,))
        assert abs(moment - first_step_at(payment)) <= timedelta(seconds=1)

    def test_wakes_itself_for_the_next_step(
        self, committed_world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world = committed_world
        payment = opened(world, world.customer(), world.product())
        self.forget()
        world.now = first_step_at(payment)
        monkeypatch.setattr(jobs.timezone, "now", lambda: world.now)
        jobs.expire_payment(payment.pk)
        [(_path, args, moment)] = self.scheduled()
        assert args == (payment.pk,)
        assert CHECK_PAUSE - timedelta(seconds=1) < moment - world.now <= CHECK_PAUSE + MARGIN
        self.forget()
        world.later(seconds=5)
        jobs.expire_payment(payment.pk)
        assert self.scheduled() == []
        assert status_of(payment) == EXPIRED

    def test_two_workers_and_a_sweep_at_once_expire_once(
        self, committed_world: World, bank: Bank
    ) -> None:
        world = committed_world
        product = world.product(stock=2)
        payment = opened(world, world.customer(), product)
        now = first_step_at(payment)
        for seconds in (0, 5):
            step = now + timedelta(seconds=seconds)
            at_once(
                [
                    lambda step=step: pursue_expiry(payment_id=payment.pk, now=step),
                    lambda step=step: pursue_expiry(payment_id=payment.pk, now=step),
                    lambda step=step: expire_order(order_id=payment.order_id or 0, now=step),
                ]
            )
        # A step lost to a peer of the same moment is done by the next sweep.
        expire_order(order_id=payment.order_id or 0, now=now + timedelta(seconds=10))
        assert status_of(payment) == EXPIRED
        assert product.stock.available().count() == 2


def test_many_who_expire_at_once_ask_once_each_while_they_wait_to_cancel(
    world: World, bank: Bank
) -> None:
    """A cancel that had to wait for its turn needs no new question."""
    product = world.product(stock=5)
    payments = [opened(world, world.customer(), product) for _ in range(5)]
    bank.fail("cancel", "429", times=4)
    world.now = first_step_at(payments[0])
    for pk in due_orders(now=world.now, limit=10):
        expire_order(order_id=pk, now=world.now)
    asked_at = world.now
    world.later(seconds=2)
    for pk in due_orders(now=world.now, limit=10):
        expire_order(order_id=pk, now=world.now)
    assert {each.last_checked_at for each in Payment.objects.all()} == {asked_at}
    assert not Payment.objects.filter(closed_remotely_at=None).exists()


def test_what_is_cancelled_already_comes_before_what_waits_to_be(world: World, bank: Bank) -> None:
    product = world.product(stock=3)
    payments = [opened(world, world.customer(), product) for _ in range(3)]
    last = payments[2]
    world.now = first_step_at(last)
    expire_order(order_id=last.order_id or 0, now=world.now)
    assert due_orders(now=world.later(seconds=5), limit=10)[0] == last.order_id
