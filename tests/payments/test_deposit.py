"""Deposits: begun, paid, paid late, expired, cancelled."""

from dataclasses import replace
from decimal import Decimal

import pytest

from accounts.errors import CustomerBanned
from accounts.models import Customer, LedgerEntry
from core.models import StoreSettings
from operations.invariants import broken_invariants
from operations.sweep import sweep
from payments.gateways import get_gateway
from payments.models import Case, CaseKind, Payment, PaymentStatus
from payments.services.check import check_payment, tend_payment
from payments.services.deposit import (
    DepositNotFound,
    DepositNotOpen,
    DepositOutOfRange,
    cancel_deposit,
    retry_deposit,
    start_deposit,
)
from payments.services.expiry import due_deposits, expire_deposit
from payments.services.opening import open_payment
from payments.services.settle import settle
from tests.bank import Bank
from tests.payments.steps import at_the_gateway, handle_events, kinds, paid
from tests.world import World


def begin(
    world: World, customer: Customer, amount: int | Decimal = 50_000, key: str = "k"
) -> Payment:
    return start_deposit(
        customer_id=customer.pk,
        amount=Decimal(amount),
        key=key,
        chat_id=customer.pk,
        message_id=7,
        now=world.now,
    )


def opened(world: World, customer: Customer, **deposit) -> Payment:
    payment = begin(world, customer, **deposit)
    open_payment(payment_id=payment.pk, now=world.now)
    payment.refresh_from_db()
    return payment


def expire(world: World) -> None:
    """Let the sweep pass as often as it needs."""
    for _ in range(4):
        for pk in due_deposits(now=world.now, limit=10):
            expire_deposit(payment_id=pk, now=world.now)
        world.later(seconds=5)


def status(payment: Payment) -> str:
    payment.refresh_from_db()
    return payment.status


def balance(customer: Customer) -> Decimal:
    customer.refresh_from_db()
    return customer.account_balance


@pytest.fixture
def sari(world: World) -> Customer:
    return world.customer()


class TestBeginning:
    def test_shows_a_qr_that_carries_the_fee_on_top(
        self, world: World, bank: Bank, sari: Customer
    ) -> None:
        payment = opened(world, sari)
        assert (payment.amount, payment.fee, payment.total_payment) == (50_000, 660, 50_660)
        assert (payment.purpose, payment.order) == ("deposit", None)
        assert (payment.chat_id, payment.message_id) == (sari.pk, 7)
        assert kinds(sari.pk) == ["payment_qr"]

    def test_the_same_key_again_is_the_same_deposit(self, world: World, sari: Customer) -> None:
        first = begin(world, sari)
        assert begin(world, sari, amount=75_000) == first
        assert Payment.objects.get().amount == 50_000
        assert status(first) == PaymentStatus.CREATING

    def test_the_key_of_one_customer_finds_nothing_of_another(
        self, world: World, sari: Customer
    ) -> None:
        assert begin(world, sari) != begin(world, world.customer())

    @pytest.mark.parametrize("amount", [9_999, 5_000_001, 0, -50_000, Decimal("10000.5")])
    def test_outside_the_limits_is_refused(
        self, world: World, sari: Customer, amount: int | Decimal
    ) -> None:
        with pytest.raises(DepositOutOfRange) as refusal:
            begin(world, sari, amount=amount)
        assert (refusal.value.least, refusal.value.most) == (10_000, 5_000_000)
        assert not Payment.objects.exists()

    @pytest.mark.parametrize("amount", [10_000, 5_000_000])
    def test_the_limits_themselves_are_taken(
        self, world: World, sari: Customer, amount: int
    ) -> None:
        assert begin(world, sari, amount=amount).amount == amount

    def test_the_limits_are_the_stores(self, world: World, sari: Customer) -> None:
        StoreSettings.objects.create(
            pk=1, deposit_least=1_000, deposit_most=2_000, deposit_presets=[]
        )
        assert begin(world, sari, amount=1_000).amount == 1_000
        with pytest.raises(DepositOutOfRange):
            begin(world, sari, amount=2_001, key="other")

    def test_of_a_banned_customer_is_refused(self, world: World) -> None:
        with pytest.raises(CustomerBanned):
            begin(world, world.customer(is_banned=True))
        assert not Payment.objects.exists()

    def test_another_takes_the_place_of_the_open_one(
        self, world: World, bank: Bank, sari: Customer
    ) -> None:
        first = opened(world, sari)
        second = opened(world, sari, key="other", amount=25_000)
        assert (status(first), status(second)) == ("cancelled", "pending")
        assert kinds(sari.pk) == ["payment_qr", "deposit_cancelled", "payment_qr"]
        tend_payment(payment_id=first.pk, now=world.later(seconds=3))
        assert at_the_gateway(bank, first) == "canceled"

    def test_leaves_an_open_order_alone(self, world: World, bank: Bank, sari: Customer) -> None:
        order_payment = world.qris(sari, world.product())
        begin(world, sari)
        assert status(order_payment) == PaymentStatus.CREATING


class TestMoney:
    def test_exactly_the_base_amount_is_credited(
        self, world: World, bank: Bank, sari: Customer
    ) -> None:
        payment = opened(world, sari)
        bank.pay(payment)
        handle_events(world)
        assert balance(sari) == 50_000
        entry = LedgerEntry.objects.get()
        assert (entry.kind, entry.amount, entry.reference) == (
            "deposit",
            50_000,
            payment.reference,
        )
        assert kinds(sari.pk) == ["payment_qr", "deposit_credited"]
        assert kinds(None) == ["staff_deposit"]
        assert not Case.objects.exists()
        assert broken_invariants(world.now) == []

    def test_the_webhook_again_changes_nothing(
        self, world: World, bank: Bank, sari: Customer
    ) -> None:
        payment = opened(world, sari)
        bank.pay(payment, webhook="duplicate")
        handle_events(world)
        bank.client.post(
            "/webhooks/pakasir/",
            {"txn_id": payment.txn_id, "order_id": payment.reference, "amount": 50_000}
            | {"is_sandbox": False, "status": "completed", "completed_at": None},
            content_type="application/json",
            headers={"X-Secret": "sandbox-webhook-secret"},
        )
        handle_events(world)
        assert balance(sari) == 50_000
        assert LedgerEntry.objects.count() == 1

    @pytest.mark.parametrize("amount", [20_000, 80_000])
    def test_another_amount_is_credited_as_received_and_a_case(
        self, world: World, bank: Bank, sari: Customer, amount: int
    ) -> None:
        payment = opened(world, sari)
        told = replace(paid(bank, payment), amount=Decimal(amount))
        settle(payment_id=payment.pk, told=told, now=world.now)
        assert balance(sari) == amount
        case = Case.objects.get()
        assert (case.kind, case.payment, case.order) == (CaseKind.AMOUNT_DIFFERS, payment, None)
        assert kinds(None) == ["staff_case", "staff_deposit"]
        assert broken_invariants(world.now) == []

    def test_nothing_is_a_case_and_credits_nothing(
        self, world: World, bank: Bank, sari: Customer
    ) -> None:
        payment = opened(world, sari)
        told = replace(paid(bank, payment), amount=Decimal(0))
        settle(payment_id=payment.pk, told=told, now=world.now)
        assert balance(sari) == 0
        assert Case.objects.count() == 1
        assert kinds(sari.pk) == ["payment_qr"]

    @pytest.mark.parametrize("end", ["expired", "cancelled", "banned"])
    def test_that_comes_late_is_always_credited(
        self, world: World, bank: Bank, sari: Customer, end: str
    ) -> None:
        payment = opened(world, sari)
        if end == "cancelled":
            cancel_deposit(payment_id=payment.pk, customer_id=sari.pk, now=world.now)
        else:
            world.later(minutes=10, seconds=15)
            expire(world)
        if end == "banned":
            Customer.objects.filter(pk=sari.pk).update(is_banned=True)
        bank.pay(payment)
        handle_events(world)
        assert status(payment) == PaymentStatus.COMPLETED
        assert balance(sari) == 50_000
        assert kinds(sari.pk)[-1] == "deposit_credited"


class TestExpiry:
    def test_after_its_time_and_grace_by_the_sweep(
        self, world: World, bank: Bank, sari: Customer
    ) -> None:
        payment = opened(world, sari)
        world.later(minutes=10, seconds=14)
        assert due_deposits(now=world.now, limit=10) == []
        world.later(seconds=1)
        for _ in range(4):
            sweep(now=world.now)
            world.later(seconds=5)
        assert status(payment) == PaymentStatus.EXPIRED
        assert at_the_gateway(bank, payment) == "canceled"
        told = [kind for kind in kinds(sari.pk) if kind != "message_removal"]  # no Telegram here
        assert told == ["payment_qr", "deposit_expired"]
        assert set(kinds(None)) <= {"staff_message_stuck"}

    def test_money_of_the_last_second_is_credited_instead(
        self, world: World, bank: Bank, sari: Customer
    ) -> None:
        payment = opened(world, sari)
        bank.pay(payment, webhook="drop")
        world.later(minutes=10, seconds=15)
        expire(world)
        assert status(payment) == PaymentStatus.COMPLETED
        assert balance(sari) == 50_000
        assert "deposit_expired" not in kinds(sari.pk)

    @pytest.mark.parametrize("call", ["status", "cancel"])
    def test_a_silent_gateway_delays_it_by_five_minutes_at_most(
        self, world: World, bank: Bank, sari: Customer, call: str
    ) -> None:
        payment = opened(world, sari)
        bank.fail(call, "500", times=100)
        world.later(minutes=10, seconds=15)
        expire(world)
        assert status(payment) == PaymentStatus.PENDING
        world.later(minutes=5)
        expire(world)
        assert status(payment) == PaymentStatus.EXPIRED

    def test_of_one_that_was_never_opened_needs_no_answer(
        self, world: World, sari: Customer
    ) -> None:
        payment = begin(world, sari)
        world.later(minutes=10, seconds=15)
        expire(world)
        assert status(payment) == PaymentStatus.EXPIRED

    def test_never_of_a_completed_one(self, world: World, bank: Bank, sari: Customer) -> None:
        payment = opened(world, sari)
        told = paid(bank, payment)
        settle(payment_id=payment.pk, told=told, now=world.now)
        world.later(hours=1)
        assert due_deposits(now=world.now, limit=10) == []
        assert not expire_deposit(payment_id=payment.pk, now=world.now)
        assert status(payment) == PaymentStatus.COMPLETED

    def test_follows_a_gateway_that_cancelled_on_its_own(
        self, world: World, bank: Bank, sari: Customer
    ) -> None:
        payment = opened(world, sari)
        get_gateway().cancel(payment.txn_id)
        check_payment(payment_id=payment.pk, now=world.now)
        assert status(payment) == PaymentStatus.CANCELLED
        assert kinds(sari.pk) == ["payment_qr", "deposit_expired"]


class TestCancelling:
    def test_closes_it_here_and_at_the_gateway_once(
        self, world: World, bank: Bank, sari: Customer
    ) -> None:
        payment = opened(world, sari)
        for _ in range(2):
            cancel_deposit(payment_id=payment.pk, customer_id=sari.pk, now=world.now)
        assert status(payment) == PaymentStatus.CANCELLED
        assert kinds(sari.pk) == ["payment_qr", "deposit_cancelled"]
        tend_payment(payment_id=payment.pk, now=world.later(seconds=3))
        assert at_the_gateway(bank, payment) == "canceled"

    def test_of_one_that_is_paid_is_refused(
        self, world: World, bank: Bank, sari: Customer
    ) -> None:
        payment = opened(world, sari)
        settle(payment_id=payment.pk, told=paid(bank, payment), now=world.now)
        with pytest.raises(DepositNotOpen):
            cancel_deposit(payment_id=payment.pk, customer_id=sari.pk, now=world.now)
        assert status(payment) == PaymentStatus.COMPLETED

    @pytest.mark.parametrize("whose", ["another's", "an order's"])
    def test_of_what_is_no_own_deposit_finds_nothing(
        self, world: World, sari: Customer, whose: str
    ) -> None:
        other = world.customer()
        payment = (
            begin(world, other) if whose == "another's" else world.qris(sari, world.product())
        )
        with pytest.raises(DepositNotFound):
            cancel_deposit(payment_id=payment.pk, customer_id=sari.pk, now=world.now)
        assert status(payment) == PaymentStatus.CREATING


class TestRetrying:
    def test_asks_the_gateway_again_at_once_and_keeps_the_expiry(
        self, world: World, bank: Bank, sari: Customer
    ) -> None:
        bank.fail("create", "500", times=2)
        payment = opened(world, sari)
        assert (payment.status, kinds(sari.pk)) == ("creating", ["payment_unavailable"])
        expires_at = payment.expires_at
        retried = retry_deposit(
            payment_id=payment.pk,
            customer_id=sari.pk,
            chat_id=sari.pk,
            message_id=9,
            now=world.later(seconds=1),
        )
        open_payment(payment_id=payment.pk, now=world.later(seconds=4))
        assert status(payment) == PaymentStatus.PENDING
        assert (retried.message_id, payment.expires_at) == (9, expires_at)

    def test_at_its_expiry_is_refused(self, world: World, sari: Customer) -> None:
        payment = begin(world, sari)
        with pytest.raises(DepositNotOpen):
            retry_deposit(
                payment_id=payment.pk,
                customer_id=sari.pk,
                chat_id=1,
                message_id=9,
                now=world.later(minutes=10),
            )
        payment.refresh_from_db()
        assert payment.message_id == 7
