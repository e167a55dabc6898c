"""Many at once, and what would break: each control looks for the broken invariant in the database.

Where a constraint would stop it as well, the control takes the constraint away too: what it shows
is what the lock is for.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError

from accounts.models import Customer, CustomerQuerySet
from catalog.models import Product, StockItem, StockState
from core.errors import DomainError
from operations.invariants import broken_invariants
from orders.models import Order, OrderItem, OrderQuerySet, VoucherQuerySet, VoucherUse
from orders.services import refunds
from orders.services.fulfilment import mark_delivered
from orders.services.refund_quotes import quote_refund
from orders.services.refunds import refund_to_balance
from payments.models import Payment, PaymentQuerySet
from payments.services.cancel import cancel_order
from payments.services.checkout import buy_with_balance
from payments.services.expiry import expire_order
from payments.services.settle import apply_completion, record_completion, settle
from tests.bank import Bank
from tests.concurrency import at_once, overlap, unlocked, without_constraint
from tests.orders.steps import delivered
from tests.payments.steps import failed, opened, paid
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "audit"])
Work = Callable[[], Any]
ROUNDS = 4


def broken(world: World) -> set[str]:
    """Return the names of the invariants that are broken, all messages aside."""
    return {each.split()[0] for each in broken_invariants(world.now)}


def unlock(monkeypatch: pytest.MonkeyPatch, *querysets: type) -> None:
    for queryset in querysets:
        monkeypatch.setattr(queryset, "lock", unlocked)


class TestLastVoucher:
    def twenty_claims(self, world: World) -> Counter[type]:
        product, voucher = world.product(stock=20), world.voucher(total_uses=1)
        claims = [
            partial(world.qris, world.customer(), product, total=40_000, voucher=voucher)
            for _ in range(20)
        ]
        return Counter(type(result) for result in at_once(claims))

    def test_the_last_use_goes_to_one_of_twenty(self, committed_world: World) -> None:
        assert self.twenty_claims(committed_world)[Payment] == 1
        assert broken(committed_world) == set()

    def test_control_without_the_vouchers_lock_more_than_one_has_it(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        unlock(monkeypatch, VoucherQuerySet)
        self.twenty_claims(committed_world)
        assert VoucherUse.objects.count() > 1
        assert broken(committed_world) == {"I6"}


class TestDoubleTap:
    def two_taps(self, world: World) -> list[Any]:
        """Press [Ya] again before the first press is committed."""
        customer = world.customer(balance=500_000)
        checkout = world.checkout(customer, world.product())
        tap = partial(buy_with_balance, checkout=checkout, now=world.now)
        return overlap(tap, tap)

    def test_the_second_tap_waits_and_finds_the_firsts_order(self, committed_world: World) -> None:
        assert self.two_taps(committed_world) == [Order.objects.get()]
        assert Customer.objects.get().account_balance == 450_000

    def test_control_without_the_customers_lock_one_summary_is_bought_twice(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        unlock(monkeypatch, CustomerQuerySet)
        with without_constraint("orders_order", "orders_order_checkout_key_key"):
            self.two_taps(committed_world)
            [first, second] = Order.objects.paid()
            assert first.checkout_key == second.checkout_key
            assert broken(committed_world) == {"I3"}  # two debits, and one of them lost
            Order.objects.filter(pk=second.pk).update(checkout_key="another")


class TestLateMoney:
    """One completion, applied by two at once, of an order that was cancelled."""

    def two_effects(self, world: World, bank: Bank) -> None:
        payment = opened(world, world.customer(), world.product(stock=5))
        cancel_order(
            order_id=payment.order_id, customer_id=payment.customer_id, now=world.later(seconds=5)
        )
        told = paid(bank, payment)
        record_completion(payment_id=payment.pk, told=told, now=world.later(seconds=5))
        effect = partial(apply_completion, payment_id=payment.pk, now=world.now)
        overlap(effect, effect)

    def test_the_second_finds_it_done(self, committed_world: World, bank: Bank) -> None:
        self.two_effects(committed_world, bank)
        assert StockItem.objects.filter(state=StockState.SOLD).count() == 1
        assert broken(committed_world) == set()

    def test_control_without_locks_one_payment_takes_two_items(
        self, committed_world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        unlock(monkeypatch, CustomerQuerySet, OrderQuerySet, PaymentQuerySet)
        with without_constraint("orders_order", "order_paid_at_fits_status"):
            self.two_effects(committed_world, bank)
        assert StockItem.objects.filter(state=StockState.SOLD).count() == 2
        assert broken(committed_world) == {"I1"}


class TestExpiryAgainstWebhook:
    """A payment that failed here and was paid all the same: settled while its order expires."""

    def works(self, world: World, bank: Bank) -> tuple[Work, Work]:
        payment = failed(world, opened(world, world.customer(), world.product(stock=1)))
        told, now = paid(bank, payment), world.later(minutes=11)
        return (
            partial(settle, payment_id=payment.pk, told=told, now=now),
            partial(expire_order, order_id=payment.order_id, now=now),
        )

    @pytest.mark.parametrize("settles_first", [True, False])
    def test_whoever_is_second_waits_and_the_goods_are_sold(
        self, committed_world: World, bank: Bank, settles_first: bool
    ) -> None:
        settling, expiring = self.works(committed_world, bank)
        overlap(*((settling, expiring) if settles_first else (expiring, settling)))
        assert Order.objects.get().status == "paid"
        assert StockItem.objects.get().state == StockState.SOLD
        assert broken(committed_world) == set()

    def test_control_without_the_orders_lock_a_paid_order_expires(
        self, committed_world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settling, expiring = self.works(committed_world, bank)
        unlock(monkeypatch, OrderQuerySet)
        with without_constraint("orders_order", "order_paid_at_fits_status"):
            overlap(settling, expiring)
            order = Order.objects.get()
            assert (order.status, order.paid_at is None) == ("expired", False)
            assert {"I1", "I4"} <= broken(committed_world)

    def test_control_without_locks_an_expired_order_is_paid_without_its_goods(
        self, committed_world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settling, expiring = self.works(committed_world, bank)
        unlock(monkeypatch, OrderQuerySet, PaymentQuerySet)
        with without_constraint("orders_order", "order_ended_at_fits_status"):
            overlap(expiring, settling)
            assert Order.objects.get().status == "paid"
            assert StockItem.objects.get().state == StockState.AVAILABLE
            assert "I1" in broken(committed_world)


class TestCrossedOrders:
    """Customers, orders and products in every order at once: nobody waits for ever."""

    def round(
        self, world: World, bank: Bank, people: list[Customer], goods: list[Product]
    ) -> None:
        works: list[Work] = []
        for turn, customer in enumerate(people):
            here, there = goods[turn % len(goods)], goods[-1 - turn % len(goods)]
            bought = world.paid(customer, here)
            mark_delivered(order_id=bought.pk, now=world.now)
            quote = quote_refund(order_item_id=bought.items.get().pk, now=world.now)
            cancelled, late = opened(world, customer, there), opened(world, customer, here)
            told = paid(bank, late)
            works += [
                partial(
                    refund_to_balance,
                    request=quote.request,
                    actor="test",
                    source="test",
                    now=world.now,
                ),
                partial(
                    cancel_order,
                    order_id=cancelled.order_id,
                    customer_id=customer.pk,
                    now=world.now,
                ),
                partial(settle, payment_id=late.pk, told=told, now=world.now),
                partial(world.paid, customer, there),
                partial(expire_order, order_id=late.order_id, now=world.now),
            ]
        results = at_once(works[::2] + works[1::2])
        assert not [each for each in results if isinstance(each, DomainError)]

    def test_buying_cancelling_expiring_settling_and_refunding_do_not_deadlock(
        self, committed_world: World, bank: Bank
    ) -> None:
        world = committed_world
        people = [world.customer(balance=1_000_000) for _ in range(4)]
        goods = [world.product(stock=60) for _ in range(3)]
        for _ in range(ROUNDS):
            self.round(world, bank, people, goods)
            world.later(minutes=1)
        # Per person and round: two paid from the balance, one by QRIS, one cancelled.
        states = Counter(Order.objects.values_list("status", flat=True))
        assert states == Counter({"paid": 3 * 4 * ROUNDS, "cancelled": 4 * ROUNDS})
        assert broken(world) - {"I5"} == set()  # nobody delivers messages here

    def refund_beside_effect(self, world: World, bank: Bank, item: OrderItem) -> list[Any]:
        """Refund while the effect of a second payment holds the customer and wants the order."""
        payment = Payment.objects.create(
            purpose="order",
            customer=item.order.customer,
            order=item.order,
            gateway="pakasir",
            reference="SECOND",
            txn_id="SECOND",
            amount=50_000,
            received_amount=50_000,
            status="completed",
            completed_at=world.now,
            created_at=world.now,
            expires_at=world.now,
        )
        quote = quote_refund(order_item_id=item.pk, now=world.now)
        return overlap(
            lambda: Customer.objects.select_for_update(no_key=True).get(pk=payment.customer_id),
            partial(
                refund_to_balance,
                request=quote.request,
                actor="test",
                source="test",
                now=world.now,
            ),
            last=partial(apply_completion, payment_id=payment.pk, now=world.now),
        )

    def test_a_refund_and_a_second_payments_credit_wait_for_each_other(
        self, committed_world: World, bank: Bank
    ) -> None:
        item = delivered(committed_world)
        self.refund_beside_effect(committed_world, bank, item)
        item.order.customer.refresh_from_db()
        assert item.order.customer.account_balance == 40_000 + 50_000

    def test_control_with_the_order_of_locks_reversed_in_refunds_they_deadlock(
        self, committed_world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def order_first(order_item_id: int) -> Order:
            order = Order.objects.lock().get(items=order_item_id)
            Customer.objects.lock().get(pk=order.customer_id)
            return order

        monkeypatch.setattr(refunds, "_lock_order", order_first)
        item = delivered(committed_world)
        with pytest.raises(OperationalError, match="deadlock"):
            self.refund_beside_effect(committed_world, bank, item)
