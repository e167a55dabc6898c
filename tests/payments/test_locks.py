"""Two or more connections about one order, customer or voucher; each lock has a control."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from django.db.models import Sum

from accounts.errors import InsufficientBalance
from accounts.models import Customer, CustomerQuerySet, LedgerEntry
from catalog.models import Product, StockState
from orders.errors import OrderNotPending, TooManyOpenOrders, VoucherRefusal, VoucherRefused
from orders.models import (
    Order,
    OrderQuerySet,
    OrderStatus,
    VoucherQuerySet,
    VoucherUse,
    VoucherUseState,
)
from payments.models import Payment, PaymentQuerySet, PaymentStatus
from payments.services.cancel import cancel_order
from payments.services.checkout import buy_with_balance, buy_with_qris
from payments.services.expiry import expire_order
from payments.services.settle import apply_completion, record_completion, settle
from tests.bank import Bank
from tests.concurrency import at_once, overlap, unlocked
from tests.payments.steps import failed, kinds, opened, paid, status_of
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "audit"])

PAID = (OrderStatus.PAID, PaymentStatus.COMPLETED)


def sold(product: Product) -> int:
    return product.stock.filter(state=StockState.SOLD).count()


def kinds_of(results: list[Any]) -> list[type]:
    return [type(result) for result in results]


def ledger_sum() -> Decimal:
    return LedgerEntry.objects.aggregate(sum=Sum("amount"))["sum"]


def cancelling(payment: Payment, world: World) -> Callable[[], Order]:
    return partial(
        cancel_order, order_id=payment.order_id, customer_id=payment.customer_id, now=world.now
    )


class TestVoucher:
    def two_buyers(self, world: World) -> list[Any]:
        """Let a second customer claim the last use before the first one's claim is committed."""
        product, voucher = world.product(), world.voucher(total_uses=1)
        first, second = [
            partial(world.qris, world.customer(), product, total=40_000, voucher=voucher)
            for _ in range(2)
        ]
        return overlap(first, second)

    def test_the_second_claim_of_the_last_use_waits_and_is_refused(
        self, committed_world: World
    ) -> None:
        [refusal] = self.two_buyers(committed_world)
        assert isinstance(refusal, VoucherRefused)
        assert refusal.reason == VoucherRefusal.USED_UP
        assert VoucherUse.objects.count() == Order.objects.count() == 1

    def test_control_without_the_vouchers_lock_the_last_use_is_claimed_twice(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(VoucherQuerySet, "lock", unlocked)
        self.two_buyers(committed_world)
        assert VoucherUse.objects.filter(state=VoucherUseState.RESERVED).count() == 2

    def test_of_twenty_claims_of_the_last_use_one_succeeds(self, committed_world: World) -> None:
        world = committed_world
        product, voucher = world.product(stock=30), world.voucher(total_uses=1)
        claims = [
            partial(world.qris, world.customer(), product, total=40_000, voucher=voucher)
            for _ in range(20)
        ]
        results = at_once(claims)
        assert kinds_of(results).count(Payment) == 1
        assert kinds_of(results).count(VoucherRefused) == 19
        assert VoucherUse.objects.count() == 1
        assert product.stock.available().count() == 29


class TestCancelAgainstSettlement:
    def cancel_beside_settlement(self, world: World, bank: Bank) -> tuple[Payment, list[Any]]:
        """Cancel while a settlement has marked the order paid and not committed it."""
        payment = opened(world, world.customer(), world.product())
        told = paid(bank, payment)
        results = overlap(
            partial(settle, payment_id=payment.pk, told=told, now=world.now),
            cancelling(payment, world),
        )
        return payment, results

    def test_cancelling_waits_for_the_settlement_and_is_refused(
        self, committed_world: World, bank: Bank
    ) -> None:
        payment, results = self.cancel_beside_settlement(committed_world, bank)
        assert kinds_of(results) == [OrderNotPending]
        assert status_of(payment) == PAID
        assert sold(Product.objects.get()) == 1

    def test_control_without_the_orders_lock_only_a_constraint_stops_it(
        self, committed_world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(OrderQuerySet, "lock", unlocked)
        _payment, results = self.cancel_beside_settlement(committed_world, bank)
        assert kinds_of(results) == [IntegrityError]

    def effect_before_cancel(self, world: World, bank: Bank) -> tuple[Payment, list[Any]]:
        """Let T2, then a cancel, wait for the payment's row, which a third party holds."""
        payment = opened(world, world.customer(), world.product())
        record_completion(payment_id=payment.pk, told=paid(bank, payment), now=world.now)
        results = overlap(
            lambda: Payment.objects.lock().get(pk=payment.pk),
            partial(apply_completion, payment_id=payment.pk, now=world.now),
            cancelling(payment, world),
        )
        return payment, results

    def test_the_moneys_effect_locks_the_order_before_the_payment(
        self, committed_world: World, bank: Bank
    ) -> None:
        payment, results = self.effect_before_cancel(committed_world, bank)
        assert kinds_of(results) == [type(None), OrderNotPending]
        assert status_of(payment) == PAID
        assert sold(Product.objects.get()) == 1

    def test_control_without_the_orders_lock_cancelling_runs_into_the_effect(
        self, committed_world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(OrderQuerySet, "lock", unlocked)
        _payment, results = self.effect_before_cancel(committed_world, bank)
        assert kinds_of(results) == [type(None), IntegrityError]


class TestExpiryAgainstSettlement:
    """Of a payment that failed here and was paid all the same: no open one waits for its end."""

    def works(self, world: World, bank: Bank) -> tuple[Payment, Any, Any]:
        payment = failed(world, opened(world, world.customer(), world.product()))
        told, now = paid(bank, payment), world.later(minutes=11)
        return (
            payment,
            partial(settle, payment_id=payment.pk, told=told, now=now),
            partial(expire_order, order_id=payment.order_id, now=now),
        )

    def test_expiry_waits_for_the_settlement_and_leaves_the_order_paid(
        self, committed_world: World, bank: Bank
    ) -> None:
        payment, settling, expiring = self.works(committed_world, bank)
        assert overlap(settling, expiring) == [False]
        assert status_of(payment) == PAID
        assert sold(Product.objects.get()) == 1
        assert "order_expired" not in kinds(payment.customer_id)

    def test_control_without_the_orders_lock_only_a_constraint_stops_the_expiry(
        self, committed_world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _payment, settling, expiring = self.works(committed_world, bank)
        monkeypatch.setattr(OrderQuerySet, "lock", unlocked)
        assert kinds_of(overlap(settling, expiring)) == [IntegrityError]

    def test_settlement_waits_for_the_expiry_and_takes_the_goods_again(
        self, committed_world: World, bank: Bank
    ) -> None:
        payment, settling, expiring = self.works(committed_world, bank)
        overlap(expiring, settling)
        assert status_of(payment) == PAID
        assert sold(Product.objects.get()) == 1
        assert kinds(payment.customer_id)[-2:] == ["order_expired", "order_delivered"]


class TestCompletion:
    def two_completions(self, world: World, bank: Bank) -> Payment:
        """Record another amount, 5 s later, before the first completion is committed."""
        payment = opened(world, world.customer(), world.product())
        told, now = paid(bank, payment), world.now
        other = replace(told, amount=Decimal(60_000))
        later = now + timedelta(seconds=5)
        overlap(
            partial(record_completion, payment_id=payment.pk, told=told, now=now),
            partial(record_completion, payment_id=payment.pk, told=other, now=later),
        )
        payment.refresh_from_db()
        return payment

    def test_the_second_of_two_completions_changes_nothing(
        self, committed_world: World, bank: Bank
    ) -> None:
        payment = self.two_completions(committed_world, bank)
        assert payment.received_amount == 50_000
        assert payment.completed_at == committed_world.now

    def test_control_without_the_payments_lock_the_second_overwrites_the_first(
        self, committed_world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(PaymentQuerySet, "lock", unlocked)
        assert self.two_completions(committed_world, bank).received_amount == 60_000

    def credit_beside_purchase(self, world: World, bank: Bank) -> Customer:
        """Credit an amount while a purchase holds the customer and asks for the order next."""
        customer = world.customer()
        payment = opened(world, customer, world.product())
        told = replace(paid(bank, payment), amount=Decimal(60_000))
        record_completion(payment_id=payment.pk, told=told, now=world.now)
        overlap(
            lambda: Customer.objects.select_for_update(no_key=True).get(pk=customer.pk),
            partial(apply_completion, payment_id=payment.pk, now=world.now),
            last=lambda: Order.objects.select_for_update(no_key=True).get(pk=payment.order_id),
        )
        customer.refresh_from_db()
        return customer

    def test_the_moneys_effect_locks_the_customer_before_the_order(
        self, committed_world: World, bank: Bank
    ) -> None:
        assert self.credit_beside_purchase(committed_world, bank).account_balance == 60_000

    def test_control_without_the_customers_lock_it_deadlocks_with_a_purchase(
        self, committed_world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(CustomerQuerySet, "lock", unlocked)
        with pytest.raises(OperationalError, match="deadlock"):
            self.credit_beside_purchase(committed_world, bank)


class TestOneCustomer:
    def ten_orders(self, world: World) -> list[Any]:
        customer, product = world.customer(), world.product(stock=10)
        checkouts = [world.checkout(customer, product) for _ in range(10)]
        placing = partial(buy_with_qris, chat_id=1, message_id=None, now=world.now)
        return at_once([partial(placing, checkout=each) for each in checkouts])

    def test_three_orders_may_be_open_however_fast_they_are_placed(
        self, committed_world: World
    ) -> None:
        results = self.ten_orders(committed_world)
        assert kinds_of(results).count(TooManyOpenOrders) == 7
        assert Order.objects.pending().count() == 3
        assert Product.objects.get().stock.available().count() == 7

    def test_control_without_the_customers_lock_more_are_open(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(CustomerQuerySet, "lock", unlocked)
        self.ten_orders(committed_world)
        assert Order.objects.pending().count() > 3

    def twenty_purchases(self, world: World) -> tuple[Customer, list[Any]]:
        """Spend a balance that is enough for three."""
        customer, product = world.customer(balance=170_000), world.product(stock=20)
        checkouts = [world.checkout(customer, product) for _ in range(20)]
        buying = partial(buy_with_balance, now=world.now)
        results = at_once([partial(buying, checkout=each) for each in checkouts])
        customer.refresh_from_db()
        return customer, results

    def test_twenty_purchases_spend_no_more_than_the_balance(self, committed_world: World) -> None:
        customer, results = self.twenty_purchases(committed_world)
        assert kinds_of(results).count(Order) == 3
        assert kinds_of(results).count(InsufficientBalance) == 17
        assert customer.account_balance == ledger_sum() == 20_000
        assert sold(Product.objects.get()) == 3

    def test_control_without_the_customers_lock_more_is_bought_than_paid_for(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(CustomerQuerySet, "lock", unlocked)
        customer, results = self.twenty_purchases(committed_world)
        assert kinds_of(results).count(Order) > 3
        assert customer.account_balance != ledger_sum()

    def two_credits(self, world: World) -> Customer:
        """Credit a customer before another credit is committed."""
        customer = world.customer()
        overlap(partial(world.credit, customer, 10_000), partial(world.credit, customer, 5_000))
        customer.refresh_from_db()
        return customer

    def test_two_credits_add_up(self, committed_world: World) -> None:
        assert self.two_credits(committed_world).account_balance == ledger_sum() == 15_000

    def test_control_without_the_customers_lock_a_credit_is_lost(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(CustomerQuerySet, "lock", unlocked)
        assert self.two_credits(committed_world).account_balance == 5_000
        assert ledger_sum() == 15_000
