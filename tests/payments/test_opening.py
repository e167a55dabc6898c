"""A payment on its way to its QR: crashes, haste, and what happens meanwhile."""

from datetime import timedelta
from typing import Any

import pytest

from orders.errors import OrderNotFound, OrderNotPending
from orders.models import OrderStatus
from payments.gateways.pakasir import PakasirGateway
from payments.models import Payment, PaymentStatus
from payments.services.cancel import cancel_order
from payments.services.checkout import retry_qris
from payments.services.opening import open_payment
from tests.bank import Bank
from tests.payments.steps import (
    at_the_gateway,
    failed,
    handle_events,
    kinds,
    meanwhile,
    opened,
    status_of,
    tend,
)
from tests.world import World


class Killed(BaseException):
    """The process ended: nothing of it runs any more."""


def test_an_open_payment_is_asked_about_every_thirty_seconds(world: World, bank: Bank) -> None:
    payment = opened(world, world.customer(), world.product())
    for pause in (15, 30, 30):
        due = Payment.objects.due_for_check(world.later(seconds=pause))
        assert due.get() == payment
        tend(world)


def test_a_payment_whose_opener_died_is_opened_thirty_seconds_later(
    world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_asked: Any, **_named: Any) -> None:
        raise Killed

    payment = world.qris(world.customer(), world.product())
    with monkeypatch.context() as patch:
        patch.setattr(PakasirGateway, "create", die)
        with pytest.raises(Killed):
            open_payment(payment_id=payment.pk, now=world.now)
    assert not Payment.objects.due_for_check(world.later(seconds=29)).exists()
    world.later(seconds=1)
    tend(world)
    assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.PENDING)
    assert kinds(payment.customer_id) == ["payment_qr"]


def test_a_transaction_made_for_an_order_cancelled_meanwhile_is_cancelled_too(
    world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = world.customer()
    payment = world.qris(customer, world.product())
    meanwhile(
        monkeypatch,
        "create",
        lambda: cancel_order(order_id=payment.order_id, customer_id=customer.pk, now=world.now),
    )
    open_payment(payment_id=payment.pk, now=world.now)
    assert status_of(payment) == (OrderStatus.CANCELLED, PaymentStatus.CANCELLED)
    assert at_the_gateway(bank, payment) == "pending"
    world.later(seconds=3)
    tend(world)
    assert at_the_gateway(bank, payment) == "canceled"
    assert "payment_qr" not in kinds(customer.pk)


def test_a_payment_completed_before_its_creation_answered_stays_as_it_is(
    world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = world.qris(world.customer(), world.product())
    completed: list[dict[str, Any]] = []

    def pay() -> None:
        bank.pay_transaction(bank.transactions()[0]["txn_id"])
        handle_events(world)
        completed.append(Payment.objects.values().get())

    meanwhile(monkeypatch, "create", pay)
    open_payment(payment_id=payment.pk, now=world.now)
    assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)
    assert [Payment.objects.values().get()] == completed
    assert "payment_qr" not in kinds(payment.customer_id)


class TestRetry:
    def retry(self, payment: Payment, customer_id: int, now: Any) -> None:
        retry_qris(
            order_id=payment.order_id,
            customer_id=customer_id,
            chat_id=customer_id,
            message_id=None,
            now=now,
        )

    def test_at_the_orders_expiry_is_refused_and_begins_nothing(
        self, world: World, bank: Bank
    ) -> None:
        payment = failed(world, opened(world, world.customer(), world.product()))
        with pytest.raises(OrderNotPending):
            self.retry(payment, payment.customer_id, payment.expires_at)
        assert Payment.objects.get() == payment
        self.retry(payment, payment.customer_id, payment.expires_at - timedelta(microseconds=1))
        assert Payment.objects.count() == 2

    def test_of_another_customers_order_finds_nothing(self, world: World, bank: Bank) -> None:
        payment = failed(world, opened(world, world.customer(), world.product()))
        with pytest.raises(OrderNotFound):
            self.retry(payment, world.customer().pk, world.now)
        assert Payment.objects.get() == payment
