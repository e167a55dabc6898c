"""The gateway's stand-in fails in every way it can; the shop ends where it must, to the row."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Customer, LedgerEntry, LedgerKind
from catalog.models import Product, StockState
from orders.models import Order, OrderStatus
from orders.services.fulfilment import mark_delivered
from payments.models import Case, CaseKind, GatewayEvent, Payment, PaymentStatus
from payments.services.events import handle_event
from payments.services.expiry import due_orders, expire_order
from payments.services.opening import open_payment
from payments.services.settle import resume_completion
from tests.bank import Bank
from tests.faults.conftest import Shown
from tests.payments.steps import at_the_gateway, kinds, meanwhile, opened, status_of, tend
from tests.world import World

pytestmark = pytest.mark.slow  # all of them
Sale = tuple[Customer, Product, Payment]
PAID = (OrderStatus.PAID, PaymentStatus.COMPLETED)
EXPIRED = (OrderStatus.EXPIRED, PaymentStatus.EXPIRED)
LATE = (OrderStatus.EXPIRED, PaymentStatus.COMPLETED)
BOUGHT = ["payment_qr", "order_delivered"]
UNANSWERED = ("timeout", "timeout_after_effect", "500", "html", "empty")
KINDS = (*UNANSWERED, "429", "slow")
GOODS = (
    pytest.param(True, marks=pytest.mark.fault("gateway: late money, goods there")),
    pytest.param(False, marks=pytest.mark.fault("gateway: late money, goods gone")),
)


def named(*names: str, fault: str) -> list[Any]:
    """Return the parameters, each marked with its fault: `{}` is its name."""
    return [pytest.param(name, marks=pytest.mark.fault(fault.format(name))) for name in names]


@pytest.fixture
def sale(world: World, bank: Bank) -> Sale:
    customer, product = world.customer(), world.product(price=50_000, stock=2)
    return customer, product, opened(world, customer, product)


def run(world: World, **span: float) -> None:
    """Let the sweep come every five seconds for so long, as far as payments go."""
    until = world.later(**span)
    world.later(**{name: -value for name, value in span.items()})
    while world.now < until:
        world.later(seconds=5)
        for payment in Payment.objects.due_for_application(world.now):
            resume_completion(payment_id=payment.pk, now=world.now)
        for event in GatewayEvent.objects.filter(handled_at=None, next_try_at__lte=world.now):
            handle_event(event_id=event.pk, now=world.now)
        for order_id in due_orders(now=world.now, limit=10):
            expire_order(order_id=order_id, now=world.now)
        tend(world)
        hand_over(world)


def hand_over(world: World) -> None:
    """Let Telegram take the goods of whoever has paid."""
    for order in Order.objects.paid().filter(delivered_at=None):
        mark_delivered(order_id=order.pk, now=world.now)


def in_state(product: Product, state: StockState) -> int:
    return product.stock.filter(state=state).count()


def assert_sold(sale: Sale, messages: list[str], sold: int = 1) -> None:
    customer, product, payment = sale
    assert status_of(payment) == PAID
    assert in_state(product, StockState.SOLD) == sold
    assert kinds(customer.pk) == messages
    assert "staff_order_paid" in kinds(None)
    assert not LedgerEntry.objects.filter(customer=customer).exists()
    assert not Case.objects.exists()


def assert_expired(sale: Sale, messages: list[str]) -> None:
    customer, product, payment = sale
    assert status_of(payment) == EXPIRED
    assert in_state(product, StockState.AVAILABLE) == 2
    assert kinds(customer.pk) == messages
    assert not LedgerEntry.objects.exists()
    assert not Case.objects.exists()


def assert_credited(customer: Customer, payment: Payment, amount: int) -> None:
    [entry] = LedgerEntry.objects.filter(customer=customer)
    assert (entry.amount, entry.kind) == (amount, LedgerKind.PAYMENT_CREDIT)
    assert entry.idempotency_key == f"payment:{payment.pk}:credit"
    customer.refresh_from_db()
    assert customer.account_balance == amount
    assert kinds(customer.pk)[-1] == "payment_credited"
    assert kinds(None)[-1] == "staff_payment_credited"


class TestCreate:
    @pytest.mark.parametrize("kind", named(*KINDS, fault="gateway: {} on create"))
    def test_that_fails_is_repeated_and_makes_one_transaction(
        self, world: World, bank: Bank, shown: Shown, kind: str
    ) -> None:
        bank.fail("create", kind, times=2)
        customer, product = world.customer(), world.product(stock=2)
        payment = opened(world, customer, product)
        run(world, seconds=15)
        used = sum(bank.faults_used())
        bank.recover()
        bank.pay(payment)
        run(world, seconds=10)
        assert len(bank.transactions()) == 1
        told = ["payment_unavailable"] if kind in UNANSWERED else []
        assert_sold((customer, product, payment), [*told, *BOUGHT])
        shown(used)

    @pytest.mark.fault("gateway: timeout after create, paid before we knew")
    def test_that_timed_out_and_is_paid_before_we_know_of_it_is_found_by_its_reference(
        self, world: World, bank: Bank, shown: Shown
    ) -> None:
        bank.fail("create", "timeout_after_effect", times=100)
        customer, product = world.customer(), world.product(stock=2)
        payment = opened(world, customer, product)
        used = sum(bank.faults_used())
        bank.pay_transaction(bank.transactions()[0]["txn_id"])
        run(world, seconds=30)
        assert_sold((customer, product, payment), ["payment_unavailable", "order_delivered"])
        shown(used)

    @pytest.mark.parametrize(
        "kind", named("wrong_amount", "sandbox_flag", fault="gateway: {} on create")
    )
    def test_of_something_else_is_never_shown_and_ends_with_the_order(
        self, world: World, bank: Bank, shown: Shown, kind: str
    ) -> None:
        bank.fail("create", kind)
        customer, product = world.customer(), world.product(stock=2)
        payment = opened(world, customer, product)
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.FAILED)
        run(world, minutes=11)
        assert status_of(payment) == (OrderStatus.EXPIRED, PaymentStatus.FAILED)
        assert in_state(product, StockState.AVAILABLE) == 2
        assert kinds(customer.pk) == ["payment_unavailable", "order_expired"]
        shown(sum(bank.faults_used()))

    @pytest.mark.fault("gateway: webhook before our commit")
    def test_whose_webhook_overtakes_our_commit_pays_the_order_once(
        self, world: World, bank: Bank, shown: Shown, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        customer, product = world.customer(), world.product(stock=2)
        payment = world.qris(customer, product)
        early: list[str | None] = []

        def pay() -> None:
            bank.pay_transaction(bank.transactions()[0]["txn_id"])
            early.append(Payment.objects.get().txn_id)

        meanwhile(monkeypatch, "create", pay)
        open_payment(payment_id=payment.pk, now=world.now)
        assert early == [None]
        run(world, seconds=10)
        assert_sold((customer, product, payment), BOUGHT)
        shown(GatewayEvent.objects.count())


class TestStatus:
    @pytest.mark.parametrize("kind", named(*KINDS, fault="gateway: {} on status"))
    def test_that_fails_is_asked_again_and_the_order_paid(
        self, sale: Sale, world: World, bank: Bank, shown: Shown, kind: str
    ) -> None:
        bank.fail("status", kind)
        bank.pay(sale[2])
        run(world, seconds=15)
        assert_sold(sale, BOUGHT)
        shown(sum(bank.faults_used()))

    @pytest.mark.parametrize(
        "kind", named("wrong_amount", "sandbox_flag", fault="gateway: {} on status")
    )
    def test_that_contradicts_the_webhook_proves_nothing(
        self, sale: Sale, world: World, bank: Bank, shown: Shown, kind: str
    ) -> None:
        bank.fail("status", kind)
        bank.pay(sale[2])
        run(world, seconds=5)
        assert status_of(sale[2]) == (OrderStatus.PENDING, PaymentStatus.PENDING)
        assert GatewayEvent.objects.get().error == "differs from transaction-status"
        run(world, seconds=60)
        assert_sold(sale, BOUGHT)
        shown(sum(bank.faults_used()))

    @pytest.mark.fault("gateway: sandbox_flag on every status")
    def test_of_a_sandbox_never_fulfils_anything(
        self, sale: Sale, world: World, bank: Bank, record_property: Any
    ) -> None:
        bank.fail("status", "sandbox_flag", times=1000)
        bank.pay(sale[2])
        run(world, minutes=11)
        used = sum(bank.faults_used())
        assert used > 2
        assert_expired(sale, ["payment_qr", "order_expired"])
        # Not by `shown`: what the stand-in calls completed here is play money, and rightly unused.
        for name, value in {"injected": used, "orders": 1, "lost": 0, "doubled": 0}.items():
            record_property(name, value)


class TestWebhook:
    @pytest.mark.fault("gateway: webhook lost")
    def test_that_is_lost_costs_a_minute_at_most(
        self, sale: Sale, world: World, bank: Bank, shown: Shown
    ) -> None:
        run(world, seconds=16)
        assert bank.pay(sale[2], webhook="drop")["webhook_statuses"] == []
        run(world, seconds=60)
        assert not GatewayEvent.objects.exists()
        assert_sold(sale, BOUGHT)
        shown(sum(each["status"] == "completed" for each in bank.transactions()))

    @pytest.mark.fault("gateway: webhook twice")
    def test_that_comes_twice_changes_nothing(
        self, sale: Sale, world: World, bank: Bank, shown: Shown
    ) -> None:
        statuses = bank.pay(sale[2], webhook="duplicate")["webhook_statuses"]
        run(world, seconds=10)
        assert_sold(sale, BOUGHT)
        shown(len(statuses) - 1)


class TestAnotherAmount:
    @pytest.mark.parametrize(
        "amount",
        [
            pytest.param(40_000, marks=pytest.mark.fault("gateway: too little paid")),
            pytest.param(60_000, marks=pytest.mark.fault("gateway: too much paid")),
        ],
    )
    def test_is_credited_with_a_case_and_the_order_stays_unpaid(
        self, sale: Sale, world: World, bank: Bank, shown: Shown, amount: int
    ) -> None:
        customer, product, payment = sale
        bank.pay(payment, amount=amount)
        run(world, seconds=10)
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.COMPLETED)
        assert payment.received_amount == amount
        assert_credited(customer, payment, amount)
        [case] = Case.objects.all()
        assert (case.kind, case.payment) == (CaseKind.AMOUNT_DIFFERS, payment)
        run(world, minutes=11)
        assert status_of(payment) == LATE
        assert in_state(product, StockState.AVAILABLE) == 2
        shown(sum(each["status"] == "completed" for each in bank.transactions()))


class TestLateMoney:
    @pytest.mark.fault("gateway: paid at expiry + 1 s")
    @pytest.mark.parametrize("is_stock_left", GOODS)
    def test_of_the_grace_pays_the_order_whose_goods_are_still_reserved(
        self, sale: Sale, world: World, bank: Bank, shown: Shown, is_stock_left: bool
    ) -> None:
        run(world, minutes=9, seconds=55)
        if not is_stock_left:
            world.paid(world.customer(balance=50_000), sale[1])
        world.now = sale[2].expires_at
        world.later(seconds=1)
        bank.pay(sale[2], webhook="drop")
        run(world, minutes=1)
        assert_sold(sale, BOUGHT, sold=1 if is_stock_left else 2)
        shown(sum(each["status"] == "completed" for each in bank.transactions()))

    @pytest.mark.parametrize("is_stock_left", GOODS)
    @pytest.mark.parametrize(
        "span",
        [
            pytest.param(
                {"minutes": 11}, marks=pytest.mark.fault("gateway: paid at expiry + 11 min")
            ),
            pytest.param({"hours": 23}, marks=pytest.mark.fault("gateway: paid at expiry + 23 h")),
        ],
    )
    def test_is_delivered_while_there_are_goods_and_credited_when_not(
        self,
        sale: Sale,
        world: World,
        bank: Bank,
        shown: Shown,
        span: dict[str, float],
        is_stock_left: bool,
    ) -> None:
        customer, product, payment = sale
        run(world, minutes=11)
        assert status_of(payment) == EXPIRED
        if not is_stock_left:
            world.paid(world.customer(balance=100_000), product, quantity=2)
        world.now = payment.expires_at
        world.later(**span)
        bank.pay(payment)
        run(world, seconds=10)
        if is_stock_left:
            assert_sold(sale, ["payment_qr", "order_expired", "order_delivered"])
        else:
            assert status_of(payment) == LATE
            assert in_state(product, StockState.SOLD) == 2
            assert_credited(customer, payment, 50_000)
            assert not Case.objects.exists()
        shown(sum(each["status"] == "completed" for each in bank.transactions()))


class TestCancel:
    @pytest.mark.parametrize("kind", named(*KINDS, fault="gateway: {} on cancel"))
    def test_that_fails_is_repeated_and_the_goods_are_freed(
        self, sale: Sale, world: World, bank: Bank, shown: Shown, kind: str
    ) -> None:
        bank.fail("cancel", kind, times=2)
        run(world, minutes=11)
        assert_expired(sale, ["payment_qr", "order_expired"])
        assert at_the_gateway(bank, sale[2]) == "canceled"
        shown(sum(bank.faults_used()))

    @pytest.mark.parametrize("call", named("cancel", "status", fault="gateway: every {} fails"))
    def test_that_never_works_frees_the_goods_after_five_minutes_and_late_money_is_delivered(
        self, sale: Sale, world: World, bank: Bank, shown: Shown, call: str
    ) -> None:
        run(world, minutes=9, seconds=55)
        bank.fail(call, "500", times=1000)
        run(world, minutes=4)
        assert status_of(sale[2]) == (OrderStatus.PENDING, PaymentStatus.PENDING)
        run(world, minutes=2)
        assert_expired(sale, ["payment_qr", "order_expired"])
        used = sum(bank.faults_used())
        bank.recover()
        bank.pay(sale[2], webhook="drop")
        run(world, minutes=15)
        assert_sold(sale, ["payment_qr", "order_expired", "order_delivered"])
        assert used > 2
        shown(used)

    @pytest.mark.parametrize("call", named("status", "cancel", fault="gateway: paid during {}"))
    def test_beside_which_the_money_comes_is_found_by_reading_again(
        self,
        sale: Sale,
        world: World,
        bank: Bank,
        shown: Shown,
        monkeypatch: pytest.MonkeyPatch,
        call: str,
    ) -> None:
        """Paid after `status` said pending, so that to cancel is refused; or after the cancel."""
        run(world, minutes=9, seconds=55)
        world.now = sale[2].expires_at
        world.later(seconds=15)
        paid: list[int] = []
        pay: Callable[[], Any] = lambda: paid.append(  # noqa: E731
            len(bank.pay(sale[2], webhook="drop"))
        )
        meanwhile(monkeypatch, call, pay)
        run(world, seconds=30)
        assert_sold(sale, BOUGHT)
        shown(len(paid))


class TestFee:
    @pytest.mark.parametrize(
        ("amount", "fee"),
        [
            pytest.param(amount, fee, marks=pytest.mark.fault(f"gateway: fee at {amount}"))
            for amount, fee in (
                (500, 314),
                (105_000, 1_045),
                (105_001, 1_051),
                (10_000_000, 100_000),
            )
        ],
    )
    def test_is_added_by_the_gateway_shown_and_never_credited(
        self, world: World, bank: Bank, shown: Shown, amount: int, fee: int
    ) -> None:
        customer, product = world.customer(), world.product(price=amount, stock=2)
        payment = opened(world, customer, product)
        assert (payment.amount, payment.fee, payment.total_payment) == (amount, fee, amount + fee)
        bank.pay(payment)
        run(world, seconds=10)
        assert_sold((customer, product, payment), BOUGHT)
        assert payment.received_amount == Decimal(amount)
        assert payment.order is not None
        assert (payment.order.total_bill, payment.order.payment_fee) == (amount, fee)
        shown(sum(each["fee"] == fee for each in bank.transactions()))
