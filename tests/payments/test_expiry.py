"""Orders that are not paid in time, and the money that comes all the same."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Customer
from catalog.models import Product, StockState
from core.models import StoreSettings
from orders.models import OrderStatus
from payments.gateways import get_gateway
from payments.models import Payment, PaymentStatus
from payments.services.cancel import cancel_order
from payments.services.check import tend_payment
from payments.services.expiry import due_orders
from payments.services.settle import record_completion
from tests.bank import Bank
from tests.payments.steps import (
    expire,
    handle_events,
    kinds,
    opened,
    status_of,
)
from tests.world import World


class TestExpiry:
    def test_an_order_expires_after_its_time_and_frees_its_goods(self, sale, world: World) -> None:
        customer, product, payment = sale
        world.later(minutes=10, seconds=14)
        assert due_orders(now=world.now, limit=10) == []
        world.later(seconds=1)
        expire(world)
        assert status_of(payment) == (OrderStatus.EXPIRED, PaymentStatus.EXPIRED)
        assert product.stock.available().count() == 3
        assert kinds(customer.pk) == ["payment_qr", "order_expired"]
        assert kinds(None) == ["staff_order_expired"]

    def test_the_gateway_is_told_to_cancel_before_the_goods_are_freed(
        self, sale, world: World, bank: Bank
    ) -> None:
        world.later(minutes=10, seconds=15)
        expire(world)
        assert bank.transactions()[0]["status"] in {"canceled", "cancelled"}

    def test_money_of_the_last_second_is_settled_not_expired(
        self, sale, world: World, bank: Bank
    ) -> None:
        _customer, _product, payment = sale
        bank.pay(payment, webhook="drop")
        world.later(minutes=10, seconds=15)
        expire(world)
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)

    @pytest.mark.parametrize("call", ["status", "cancel"])
    def test_a_silent_gateway_delays_the_expiry_by_five_minutes_at_most(
        self, sale, world: World, bank: Bank, call: str
    ) -> None:
        _customer, product, payment = sale
        bank.fail(call, "500", times=100)
        world.later(minutes=10, seconds=15)
        expire(world)
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.PENDING)
        world.later(minutes=5)
        expire(world)
        assert status_of(payment) == (OrderStatus.EXPIRED, PaymentStatus.EXPIRED)
        assert product.stock.available().count() == 3

    def test_after_a_downtime_of_ours_the_gateway_is_asked_before_anything_is_freed(
        self, sale, world: World, bank: Bank
    ) -> None:
        _customer, _product, payment = sale
        bank.pay(payment, webhook="drop")
        world.later(hours=3)
        expire(world)
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)

    def test_a_gateway_that_is_silent_when_we_come_back_is_waited_for(
        self, sale, world: World, bank: Bank
    ) -> None:
        _customer, _product, payment = sale
        bank.pay(payment, webhook="drop")
        bank.fail("status", "500", times=100)
        world.later(hours=3)
        expire(world)
        assert status_of(payment)[0] == OrderStatus.PENDING
        bank.recover()
        world.later(minutes=1)
        expire(world)
        assert status_of(payment)[0] == OrderStatus.PAID

    def test_orders_that_wait_for_their_moneys_effect_are_not_due(
        self, sale, world: World, bank: Bank
    ) -> None:
        _customer, _product, payment = sale
        world.later(minutes=11)
        assert due_orders(now=world.now, limit=10) == [payment.order_id]
        Payment.objects.filter(pk=payment.pk).update(
            status=PaymentStatus.COMPLETED, received_amount=100_000, completed_at=world.now
        )
        assert due_orders(now=world.now, limit=10) == []

    def test_an_order_whose_money_arrived_never_expires(
        self, sale, world: World, bank: Bank
    ) -> None:
        _customer, _product, payment = sale
        bank.pay(payment, webhook="drop")
        told = get_gateway().status(payment.txn_id)
        record_completion(payment_id=payment.pk, told=told, now=world.now)
        world.later(minutes=30)
        expire(world)
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.COMPLETED)


class TestLateMoney:
    def late(
        self, world: World, bank: Bank, payment: Payment, meanwhile: Callable[[], Any] = bool
    ) -> None:
        world.later(minutes=10, seconds=15)
        expire(world)
        assert status_of(payment) == (OrderStatus.EXPIRED, PaymentStatus.EXPIRED)
        meanwhile()
        bank.pay(payment)
        handle_events(world)

    def test_is_delivered_while_the_goods_are_there(self, sale, world: World, bank: Bank) -> None:
        customer, product, payment = sale
        self.late(world, bank, payment)
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)
        assert product.stock.filter(state=StockState.SOLD).count() == 2
        assert kinds(customer.pk)[-1] == "order_delivered"

    @pytest.mark.parametrize("obstacle", ["sold", "off_sale", "banned", "setting"])
    def test_is_credited_when_it_cannot_be_delivered(
        self, sale, world: World, bank: Bank, obstacle: str
    ) -> None:
        customer, product, payment = sale
        other = world.customer(balance=100_000)
        obstacles: dict[str, Callable[[], Any]] = {
            "sold": lambda: world.paid(other, product, quantity=2),
            "off_sale": lambda: Product.objects.filter(pk=product.pk).update(is_active=False),
            "banned": lambda: Customer.objects.filter(pk=customer.pk).update(is_banned=True),
            "setting": lambda: StoreSettings.objects.create(pk=1, deliver_late_payments=False),
        }
        self.late(world, bank, payment, obstacles[obstacle])
        assert status_of(payment) == (OrderStatus.EXPIRED, PaymentStatus.COMPLETED)
        customer.refresh_from_db()
        assert customer.account_balance == 100_000
        assert kinds(customer.pk)[-1] == "payment_credited"
        assert kinds(None)[-1] == "staff_payment_credited"

    def test_without_its_voucher_is_credited_and_takes_no_goods(
        self, world: World, bank: Bank
    ) -> None:
        customer, product = world.customer(), world.product()
        voucher = world.voucher(total_uses=1)
        payment = opened(world, customer, product, total=40_000, voucher=voucher)
        world.later(minutes=10, seconds=15)
        expire(world)
        world.paid(world.customer(balance=40_000), product, total=40_000, voucher=voucher)
        bank.pay(payment)
        handle_events(world)
        customer.refresh_from_db()
        assert status_of(payment)[0] == OrderStatus.EXPIRED
        assert customer.account_balance == 40_000
        assert product.stock.filter(state=StockState.RESERVED).count() == 0

    def test_of_a_cancelled_order_is_delivered_too(self, sale, world: World, bank: Bank) -> None:
        customer, _product, payment = sale
        cancel_order(order_id=payment.order_id, customer_id=customer.pk, now=world.now)
        bank.pay(payment)
        handle_events(world)
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)

    def test_that_came_while_cancelling_is_found_by_reading_the_status_again(
        self, sale, world: World, bank: Bank
    ) -> None:
        """The gateway refuses to cancel what is paid: that refusal must not end the watch."""
        customer, _product, payment = sale
        bank.pay(payment, webhook="drop")
        cancel_order(order_id=payment.order_id, customer_id=customer.pk, now=world.now)
        tend_payment(payment_id=payment.pk, now=world.later(seconds=3))
        assert Payment.objects.due_for_check(world.later(seconds=5)).get() == payment
        tend_payment(payment_id=payment.pk, now=world.now)
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)

    def test_is_watched_for_with_growing_pauses_for_two_days(
        self, sale, world: World, bank: Bank
    ) -> None:
        customer, _product, payment = sale
        cancel_order(order_id=payment.order_id, customer_id=customer.pk, now=world.now)
        ended_at, asked_at = world.now, []
        while Payment.objects.get(pk=payment.pk).next_check_at is not None:
            world.now = Payment.objects.get(pk=payment.pk).next_check_at
            tend_payment(payment_id=payment.pk, now=world.now)
            asked_at.append(world.now - ended_at)
        assert timedelta(hours=24) < asked_at[-1] <= timedelta(hours=48)
        assert 10 < len(asked_at) < 40
