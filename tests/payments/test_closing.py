"""Orders and payments that end: what may not be ended, and that the gateway hears of it."""

from datetime import timedelta

import pytest

from catalog.models import ProductKind, StockState
from orders.errors import OrderNotFound, OrderNotPending
from orders.models import OrderStatus
from payments.models import Payment, PaymentStatus
from payments.services.cancel import cancel_order
from payments.services.closing import close_remotely
from payments.services.expiry import expire_order
from payments.services.settle import record_completion, settle
from tests.bank import Bank
from tests.payments.steps import (
    at_the_gateway,
    expire,
    kinds,
    meanwhile,
    opened,
    paid,
    status_of,
    tend,
)
from tests.world import World


def cancel(world: World, payment: Payment, customer_id: int | None = None) -> None:
    cancel_order(
        order_id=payment.order_id,
        customer_id=customer_id or payment.customer_id,
        now=world.now,
    )


class TestCancel:
    def test_an_order_whose_money_arrived_is_not_cancelled(self, world: World, bank: Bank) -> None:
        product = world.product()
        payment = opened(world, world.customer(), product, quantity=2)
        record_completion(payment_id=payment.pk, told=paid(bank, payment), now=world.now)
        with pytest.raises(OrderNotPending):
            cancel(world, payment)
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.COMPLETED)
        assert product.stock.filter(state=StockState.RESERVED).count() == 2

    def test_another_customers_order_is_not_found(self, world: World, bank: Bank) -> None:
        payment = opened(world, world.customer(), world.product())
        with pytest.raises(OrderNotFound):
            cancel(world, payment, world.customer().pk)
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.PENDING)

    def test_a_copy_of_shared_goods_is_given_back(self, world: World, bank: Bank) -> None:
        product = world.product(kind=ProductKind.SHARED, quota=1)
        payment = opened(world, world.customer(), product)
        item = payment.order.items.get()
        assert item.shared_item == product.stock.get()
        cancel(world, payment)
        item.refresh_from_db()
        assert item.shared_item is None
        assert world.qris(world.customer(), product).order.items.get().shared_item is not None


class TestAtTheGateway:
    @pytest.mark.parametrize("answer", ["refused", "silent"])
    def test_a_payment_completed_while_it_is_cancelled_there_is_not_due_again(
        self, world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch, answer: str
    ) -> None:
        payment = opened(world, world.customer(), world.product())
        cancel(world, payment)
        told, now = paid(bank, payment), world.later(seconds=3)
        if answer == "silent":
            bank.fail("cancel", "500", times=100)
        meanwhile(monkeypatch, "cancel", lambda: settle(payment_id=payment.pk, told=told, now=now))
        assert close_remotely(payment_id=payment.pk, now=now) == (answer == "refused")
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)
        assert payment.next_check_at is None

    def test_a_cancel_without_an_answer_is_tried_again_within_a_minute(
        self, world: World, bank: Bank
    ) -> None:
        payment = opened(world, world.customer(), world.product())
        cancel(world, payment)
        bank.fail("cancel", "500", times=100)
        world.later(seconds=3)
        tend(world)
        assert at_the_gateway(bank, payment) == "pending"
        bank.recover()
        world.later(minutes=1)
        tend(world)
        assert at_the_gateway(bank, payment) == "canceled"


class TestExpiry:
    def test_money_that_came_after_the_cancel_and_before_the_next_pass_is_settled(
        self, world: World, bank: Bank
    ) -> None:
        customer = world.customer()
        payment = opened(world, customer, world.product())
        expire_order(order_id=payment.order_id, now=world.later(minutes=10, seconds=15))
        assert at_the_gateway(bank, payment) == "canceled"
        bank.pay(payment, webhook="drop")
        world.later(seconds=5)
        expire(world)
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)
        assert payment.completed_at - payment.expires_at < timedelta(minutes=1)
        assert kinds(customer.pk) == ["payment_qr", "order_delivered"]
