"""Deposits and payments by hand at the same moment as others; each lock has a control."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError

from accounts.models import Customer, CustomerQuerySet, LedgerEntry
from catalog.models import Product, StockState
from core.models import OutboxMessage
from operations.invariants import broken_invariants
from orders.errors import OrderNotPending
from orders.models import Order, OrderQuerySet, OrderStatus, PaymentMethod
from payments.gateways import get_gateway
from payments.models import MANUAL, Case, CaseKind, GatewayEvent, Payment, PaymentQuerySet
from payments.services.checkout import buy_with_balance
from payments.services.deposit import start_deposit
from payments.services.events import handle_event
from payments.services.manual import mark_paid_by_hand
from payments.services.opening import open_payment
from payments.services.settle import apply_completion, record_completion, settle
from tests.bank import Bank
from tests.concurrency import at_once, overlap, unlocked
from tests.payments.steps import handle_events, opened, paid
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "audit"])


def beginning(world: World, customer: Customer, key: str) -> Callable[[], Payment]:
    return partial(
        start_deposit,
        customer_id=customer.pk,
        amount=Decimal(50_000),
        key=key,
        chat_id=customer.pk,
        message_id=None,
        now=world.now,
    )


class TestOneDeposit:
    def press(self, world: World) -> list[Any]:
        customer = world.customer()
        return at_once([beginning(world, customer, "k")] * 20)

    def test_one_button_pressed_twenty_times_is_one_deposit(self, committed_world: World) -> None:
        results = self.press(committed_world)
        assert {result.pk for result in results} == {Payment.objects.get().pk}

    def test_control_without_the_customers_lock_only_the_references_constraint_stops_it(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(CustomerQuerySet, "lock", unlocked)
        results = self.press(committed_world)
        assert any(isinstance(result, IntegrityError) for result in results)

    def press_many(self, world: World) -> int:
        customer = world.customer()
        at_once([beginning(world, customer, f"k{n}") for n in range(10)])
        return Payment.objects.open().count()

    def test_of_ten_buttons_one_deposit_stays_open(self, committed_world: World) -> None:
        assert self.press_many(committed_world) == 1
        assert Payment.objects.count() == 10

    def test_control_without_the_customers_lock_more_stay_open(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(CustomerQuerySet, "lock", unlocked)
        assert self.press_many(committed_world) > 1


class TestOneCredit:
    def deposit(self, world: World, bank: Bank) -> Payment:
        payment = beginning(world, world.customer(), "k")()
        open_payment(payment_id=payment.pk, now=world.now)
        bank.pay(payment)
        return payment

    def test_the_same_webhook_twenty_times_credits_once(
        self, committed_world: World, bank: Bank
    ) -> None:
        world = committed_world
        payment = self.deposit(world, bank)
        event = GatewayEvent.objects.get()
        moments = [world.later(seconds=5) for _ in range(20)]
        at_once([partial(handle_event, event_id=event.pk, now=now) for now in moments])
        assert LedgerEntry.objects.get().amount == 50_000
        assert Customer.objects.get(pk=payment.customer_id).account_balance == 50_000
        assert OutboxMessage.objects.filter(kind="deposit_credited").count() == 1
        assert broken_invariants(world.now) == []

    def apply_often(self, world: World, bank: Bank) -> list[Any]:
        payment = self.deposit(world, bank)
        told = paid_there(payment)
        record_completion(payment_id=payment.pk, told=told, now=world.now)
        return at_once([partial(apply_completion, payment_id=payment.pk, now=world.now)] * 20)

    def test_the_moneys_effect_twenty_times_credits_once(
        self, committed_world: World, bank: Bank
    ) -> None:
        assert self.apply_often(committed_world, bank) == [None] * 20
        assert LedgerEntry.objects.count() == 1

    def test_control_without_locks_only_the_ledgers_key_stops_it(
        self, committed_world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for queryset in (CustomerQuerySet, PaymentQuerySet):
            monkeypatch.setattr(queryset, "lock", unlocked)
        results = self.apply_often(committed_world, bank)
        assert any(isinstance(result, IntegrityError) for result in results)


def paid_there(payment: Payment) -> Any:
    payment.refresh_from_db()
    return get_gateway().status(payment.txn_id)


class TestByHandAgainstWebhook:
    """The gateway is paid in the moment after it was asked."""

    def works(
        self, world: World, bank: Bank
    ) -> tuple[Payment, Callable[[], Any], Callable[[], Any]]:
        payment = opened(world, world.customer(), world.product())
        told = paid(bank, payment)
        # What it answered a moment before: nobody has paid yet.
        Payment.objects.filter(pk=payment.pk).update(
            last_checked_at=world.now, last_answer_at=world.now
        )
        by_hand = partial(
            mark_paid_by_hand,
            order_id=payment.order_id,
            reason="Cash",
            actor="staff:owner",
            source="admin",
            now=world.later(seconds=1),
        )
        return (
            payment,
            by_hand,
            partial(settle, payment_id=payment.pk, told=told, now=world.later(seconds=1)),
        )

    def sold(self) -> int:
        return Product.objects.get().stock.filter(state=StockState.SOLD).count()

    def test_a_webhook_after_it_is_a_case(self, committed_world: World, bank: Bank) -> None:
        payment, by_hand, settling = self.works(committed_world, bank)
        overlap(by_hand, settling)
        order = Order.objects.get()
        assert (order.status, order.payment_method) == (OrderStatus.PAID, PaymentMethod.MANUAL)
        case = Case.objects.get()
        assert (case.kind, case.payment) == (CaseKind.PAID_AFTER_MANUAL, payment)
        assert not LedgerEntry.objects.exists()
        assert self.sold() == 1
        assert broken_invariants(committed_world.now) == []

    def test_a_webhook_before_it_refuses_it(self, committed_world: World, bank: Bank) -> None:
        _payment, by_hand, settling = self.works(committed_world, bank)
        [refusal] = overlap(settling, by_hand)
        assert isinstance(refusal, OrderNotPending)
        order = Order.objects.get()
        assert (order.status, order.payment_method) == (OrderStatus.PAID, PaymentMethod.QRIS)
        assert not Payment.objects.filter(gateway=MANUAL).exists()
        assert not Case.objects.exists()
        assert self.sold() == 1

    def test_control_without_locks_it_is_paid_by_hand_as_well(
        self, committed_world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _payment, by_hand, settling = self.works(committed_world, bank)
        for queryset in (CustomerQuerySet, OrderQuerySet, PaymentQuerySet):
            monkeypatch.setattr(queryset, "lock", unlocked)
        [result] = overlap(settling, by_hand)
        assert isinstance(result, IntegrityError) or broken_invariants(committed_world.now)

    def test_two_members_of_staff_record_one_payment(
        self, committed_world: World, bank: Bank
    ) -> None:
        _payment, by_hand, _settling = self.works(committed_world, bank)
        [refusal] = overlap(by_hand, by_hand)
        assert isinstance(refusal, OrderNotPending)
        assert Payment.objects.filter(gateway=MANUAL).count() == 1


def test_a_qr_paid_in_the_moment_the_balance_pays_becomes_a_credit(
    committed_world: World, bank: Bank
) -> None:
    world = committed_world
    customer, product = world.customer(balance=50_000), world.product()
    payment = opened(world, customer, product, key="k")
    told = paid(bank, payment)
    checkout = world.checkout(customer, product, key="k")
    overlap(
        partial(buy_with_balance, checkout=checkout, now=world.now),
        partial(settle, payment_id=payment.pk, told=told, now=world.now),
    )
    order = Order.objects.get()
    assert (order.status, order.payment_method) == (OrderStatus.PAID, PaymentMethod.BALANCE)
    customer.refresh_from_db()
    assert customer.account_balance == 50_000
    assert list(LedgerEntry.objects.order_by("pk").values_list("kind", "amount"))[1:] == [
        ("purchase", -50_000),
        ("payment_credit", 50_000),
    ]
    handle_events(world)
    assert broken_invariants(world.now) == []
