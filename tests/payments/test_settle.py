"""What settling does with answers, repetitions and money for which there is no order any more."""

from dataclasses import replace
from decimal import Decimal

import pytest

from accounts.models import LedgerEntry
from catalog.models import Product, StockState
from core.models import OutboxMessage
from orders.models import OrderStatus, VoucherUse, VoucherUseState
from payments.gateways import get_gateway
from payments.models import Payment, PaymentStatus
from payments.services.check import check_payment
from payments.services.settle import apply_completion, record_completion, settle
from tests.bank import Bank
from tests.payments.steps import (
    at_the_gateway,
    expire,
    failed,
    handle_events,
    kinds,
    opened,
    paid,
    retried,
    status_of,
    tend,
)
from tests.world import World

UNPAID = (OrderStatus.PENDING, PaymentStatus.PENDING)
PAID = (OrderStatus.PAID, PaymentStatus.COMPLETED)
CREDITED = (OrderStatus.EXPIRED, PaymentStatus.COMPLETED)


def test_a_completion_is_final(world: World, bank: Bank) -> None:
    payment = opened(world, world.customer(), world.product())
    told, completed_at = paid(bank, payment), world.now
    settle(payment_id=payment.pk, told=told, now=completed_at)
    other = replace(told, amount=Decimal(60_000))
    settle(payment_id=payment.pk, told=other, now=world.later(minutes=1))
    record_completion(payment_id=payment.pk, told=other, now=world.now)
    assert status_of(payment) == PAID
    assert (payment.received_amount, payment.completed_at) == (50_000, completed_at)
    assert not LedgerEntry.objects.exists()


@pytest.mark.parametrize("name", ["order_id", "txn_id"])
def test_an_answer_about_another_payment_changes_nothing(
    world: World, bank: Bank, name: str
) -> None:
    customer, product = world.customer(), world.product()
    payment = opened(world, customer, product)
    told = replace(paid(bank, payment), **{name: "QC-ANOTHER-ONE"})
    settle(payment_id=payment.pk, told=told, now=world.now)
    assert status_of(payment) == UNPAID
    assert payment.received_amount is None
    assert product.stock.filter(state=StockState.SOLD).count() == 0
    assert not LedgerEntry.objects.exists()
    assert kinds(customer.pk) == ["payment_qr"]


def test_an_effect_that_is_repeated_credits_once(world: World, bank: Bank) -> None:
    customer = world.customer()
    payment = opened(world, customer, world.product())
    told = replace(paid(bank, payment), amount=Decimal(60_000))
    settle(payment_id=payment.pk, told=told, now=world.now)
    Payment.objects.filter(pk=payment.pk).update(applied_at=None)
    apply_completion(payment_id=payment.pk, now=world.later(minutes=1))
    customer.refresh_from_db()
    assert customer.account_balance == 60_000
    assert LedgerEntry.objects.get().amount == 60_000
    assert kinds(customer.pk) == ["payment_qr", "payment_credited"]


class TestTwoAttempts:
    """A payment that failed here has a transaction that can be paid, beside the newer QR."""

    @pytest.fixture
    def attempts(self, world: World, bank: Bank) -> tuple[Payment, Payment]:
        old = failed(world, opened(world, world.customer(), world.product(stock=3)))
        return old, retried(world, old)

    def test_paying_the_old_one_closes_the_newer_qr_here_and_at_the_gateway(
        self, attempts: tuple[Payment, Payment], world: World, bank: Bank
    ) -> None:
        old, new = attempts
        bank.pay(old)
        handle_events(world)
        assert status_of(old) == PAID
        assert status_of(new) == (OrderStatus.PAID, PaymentStatus.CANCELLED)
        world.later(seconds=3)
        tend(world)
        assert at_the_gateway(bank, new) == "canceled"

    def test_paying_both_credits_the_second(
        self, attempts: tuple[Payment, Payment], world: World, bank: Bank
    ) -> None:
        old, new = attempts
        for payment in (new, old):
            bank.pay(payment)
            handle_events(world)
        assert status_of(new) == status_of(old) == PAID
        entry = LedgerEntry.objects.get()
        assert (entry.amount, entry.balance_after) == (50_000, 50_000)
        assert (entry.customer_id, entry.reference) == (old.customer_id, old.reference)
        assert Product.objects.get().stock.filter(state=StockState.SOLD).count() == 1
        assert OutboxMessage.objects.filter(kind="order_delivered").count() == 1
        assert OutboxMessage.objects.get(kind="payment_credited").references == {
            "payment_id": old.pk
        }


class TestCancelledAtTheGateway:
    def test_by_its_owner_ends_the_payment_and_the_next_attempt_is_a_new_one(
        self, world: World, bank: Bank
    ) -> None:
        payment = opened(world, world.customer(), world.product())
        get_gateway().cancel(payment.txn_id)
        check_payment(payment_id=payment.pk, now=world.now)
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.CANCELLED)
        following = retried(world, payment)
        assert status_of(following) == UNPAID
        assert following.reference != payment.reference
        assert following.txn_id != payment.txn_id


class TestLateMoney:
    def late(self, world: World, bank: Bank, payment: Payment) -> None:
        bank.pay(payment)
        handle_events(world)

    def expired(self, world: World, payment: Payment) -> Payment:
        world.later(minutes=10, seconds=15)
        expire(world)
        assert status_of(payment) == (OrderStatus.EXPIRED, PaymentStatus.EXPIRED)
        return payment

    def test_whose_voucher_is_in_an_open_order_is_credited(self, world: World, bank: Bank) -> None:
        customer, product = world.customer(), world.product()
        voucher = world.voucher(uses_per_customer=None)
        terms = {"total": 40_000, "voucher": voucher}
        first = self.expired(world, opened(world, customer, product, **terms))
        second = opened(world, customer, product, **terms)
        self.late(world, bank, first)
        assert status_of(first) == CREDITED
        assert status_of(second) == UNPAID
        customer.refresh_from_db()
        assert customer.account_balance == 40_000
        reserved = VoucherUse.objects.get(state=VoucherUseState.RESERVED)
        assert reserved.order == second.order
        assert product.stock.filter(state=StockState.SOLD).count() == 0

    def test_for_a_product_that_was_deleted_is_credited(self, world: World, bank: Bank) -> None:
        customer, product = world.customer(), world.product()
        payment = self.expired(world, opened(world, customer, product))
        Product.objects.filter(pk=product.pk).update(deleted_at=world.now)
        self.late(world, bank, payment)
        assert status_of(payment) == CREDITED
        customer.refresh_from_db()
        assert customer.account_balance == 50_000
        assert product.stock.available().count() == 10
