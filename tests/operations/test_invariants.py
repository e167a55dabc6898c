"""Breaches the demo's history has no example of; what is under way; and what a look costs."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import LedgerEntry, LedgerKind
from catalog.models import ProductKind, StockItem
from operations import invariants
from operations.invariants import broken_invariants, check_invariants
from operations.invariants.rules import MOST_NAMED, Invariant
from orders.models import Order, OrderItem, PaymentMethod
from orders.services.fulfilment import mark_paid
from payments.models import MANUAL, Case, CaseKind, Payment
from tests.concurrency import at_once
from tests.unguarded import unguarded
from tests.world import World


def names(world: World) -> set[str]:
    return {line.split()[0] for line in broken_invariants(world.now)}


def payment(world: World, order: Order | None, **fields: Any) -> Payment:
    """Store a payment as a service would leave it: by default one that waits."""
    values = {
        "purpose": "order" if order else "deposit",
        "customer": order.customer if order else world.customer(),
        "order": order,
        "gateway": "pakasir",
        "reference": f"REF{Payment.objects.count()}",
        "txn_id": f"TXN{Payment.objects.count()}",
        "amount": order.total_bill if order else 20_000,
        "status": "pending",
        "created_at": world.now,
        "expires_at": world.now + timedelta(minutes=10),
    }
    return Payment.objects.create(**{**values, **fields})


def came(world: World, order: Order | None, **fields: Any) -> Payment:
    values = {"status": "completed", "completed_at": world.now, "applied_at": world.now}
    amount = fields.pop("received_amount", order.total_bill if order else 20_000)
    return payment(world, order, received_amount=amount, **{**values, **fields})


def by_hand(world: World, order: Order) -> Payment:
    return came(world, order, gateway=MANUAL, txn_id=None, reason="paid in cash")


def placed(world: World) -> Order:
    order = world.qris(world.customer(), world.product()).order
    assert order is not None
    Payment.objects.update(status="cancelled", ended_at=world.now)
    return order


def marked_paid(world: World, method: PaymentMethod = PaymentMethod.MANUAL) -> Order:
    return mark_paid(order=placed(world), method=method, now=world.now)


def entry(world: World, kind: LedgerKind, amount: int, key: str, reference: str = "") -> None:
    customer = world.customer()
    LedgerEntry.objects.create(
        customer=customer,
        amount=amount,
        balance_after=amount,
        kind=kind,
        idempotency_key=key,
        reference=reference,
        actor="test",
        created_at=world.now,
    )
    type(customer).objects.filter(pk=customer.pk).update(account_balance=amount)


def credit(world: World, came_in: Payment, kind: LedgerKind, amount: int) -> None:
    entry(world, kind, amount, f"payment:{came_in.pk}:credit", came_in.reference)
    Payment.objects.filter(pk=came_in.pk).update(
        customer=LedgerEntry.objects.order_by("-pk")[0].customer
    )


@pytest.mark.django_db
class TestWaysOfPaying:
    def test_an_order_marked_paid_has_one_payment_by_hand(self, world: World) -> None:
        order = marked_paid(world)
        assert names(world) == {"I4"}
        by_hand(world, order)
        assert names(world) == set()
        by_hand(world, order)
        assert names(world) == {"I4"}

    def test_a_payment_by_hand_is_none_of_the_gateway(self, world: World) -> None:
        order = marked_paid(world, PaymentMethod.QRIS)
        by_hand(world, order)
        assert names(world) == {"I4"}

    def test_money_after_a_payment_by_hand_is_a_case(self, world: World) -> None:
        order = marked_paid(world)
        by_hand(world, order)
        second = came(world, order)
        assert names(world) == {"I4"}
        kind = CaseKind.PAID_AFTER_MANUAL
        Case.objects.create(kind=kind, key="t", order=order, payment=second, opened_at=world.now)
        assert names(world) == set()

    def test_a_case_about_other_money_of_the_order_hides_nothing(self, world: World) -> None:
        order = marked_paid(world, PaymentMethod.QRIS)
        other = came(world, order, received_amount=1_000)
        kind = CaseKind.AMOUNT_DIFFERS
        Case.objects.create(kind=kind, key="t", order=order, payment=other, opened_at=world.now)
        assert names(world) == {"I4"}
        came(world, order)
        assert names(world) == set()
        came(world, order)
        assert names(world) == {"I4"}

    def test_a_case_about_the_goods_explains_no_money(self, world: World) -> None:
        order = marked_paid(world)
        kind = CaseKind.DELIVERY_FAILED
        Case.objects.create(kind=kind, key="t", order=order, opened_at=world.now)
        assert names(world) == {"I4"}

    def test_a_debit_needs_a_paid_order(self, world: World) -> None:
        order = placed(world)
        with unguarded():
            entry(world, LedgerKind.PURCHASE, 1, f"order:{order.pk}:purchase")
        assert names(world) == {"I4"}


@pytest.mark.django_db
class TestCredits:
    def test_a_deposit_is_credited_as_one(self, world: World) -> None:
        deposit = came(world, None)
        assert names(world) == {"I4"}
        credit(world, deposit, LedgerKind.DEPOSIT, 20_000)
        assert names(world) == set()

    @pytest.mark.parametrize(
        ("kind", "amount"), [(LedgerKind.PAYMENT_CREDIT, 20_000), (LedgerKind.DEPOSIT, 20_394)]
    )
    def test_a_deposit_is_credited_otherwise(
        self, world: World, kind: LedgerKind, amount: int
    ) -> None:
        credit(world, came(world, None), kind, amount)
        assert names(world) == {"I4"}

    def test_a_credit_needs_money_that_came(self, world: World) -> None:
        credit(world, payment(world, None), LedgerKind.DEPOSIT, 20_000)
        assert names(world) == {"I4"}


@pytest.mark.django_db
class TestStock:
    def test_a_copy_of_another_product(self, world: World) -> None:
        course = world.product(kind=ProductKind.SHARED, price=1_000)
        other = world.product(kind=ProductKind.FILE)
        world.paid(world.customer(balance=1_000), course)
        assert names(world) == set()
        OrderItem.objects.update(shared_item=other.stock.get())
        assert names(world) == {"I1"}

    def test_no_copy_at_all(self, world: World) -> None:
        course = world.product(kind=ProductKind.SHARED, price=1_000)
        world.paid(world.customer(balance=1_000), course)
        OrderItem.objects.update(shared_item=None)
        assert names(world) == {"I1"}

    def test_a_lost_item_is_named_with_the_sum_of_its_product(self, world: World) -> None:
        product = world.product(stock=3)
        product.stock.order_by("pk")[0].delete()
        assert broken_invariants(world.now)[0] == (
            f"I2 {product}: 2 available + 0 reserved + 0 sold + 0 withdrawn, 3 imported"
        )

    def test_an_item_of_another_products_batch(self, world: World) -> None:
        first, second = world.product(stock=1), world.product(stock=1)
        first.stock.update(batch=second.batches.get())
        second.stock.update(batch=first.batches.get())
        found = broken_invariants(world.now)
        assert {line.split(" ", 2)[2] for line in found} == {
            "is of another product than its batch"
        }


@pytest.mark.django_db
class TestTooLong:
    def test_a_deposit_that_stays_open(self, world: World) -> None:
        payment(world, None)
        world.later(minutes=10, seconds=75)
        assert names(world) == set()
        world.later(seconds=1)
        assert names(world) == {"I9"}

    @pytest.mark.parametrize("is_order", [True, False])
    def test_a_silent_gateway_is_waited_for_from_its_first_silence(
        self, world: World, is_order: bool
    ) -> None:
        payment(world, placed(world) if is_order else None)
        world.later(minutes=60)  # the shop was down
        Payment.objects.filter(status="pending").update(silent_since=world.now)
        world.later(minutes=6)
        assert names(world) == set()
        world.later(seconds=1)
        assert names(world) == {"I9"}

    def test_a_gateway_that_does_not_cancel_is_waited_for(self, world: World) -> None:
        payment(world, placed(world))
        world.later(minutes=12)
        open_one = Payment.objects.filter(status="pending")
        assert names(world) == {"I9"}
        open_one.update(last_answer_at=world.now)
        assert names(world) == set()
        open_one.update(closed_remotely_at=world.now)
        assert names(world) == {"I9"}
        open_one.update(closed_remotely_at=None)
        world.later(minutes=5)
        assert names(world) == {"I9"}


@pytest.mark.django_db
class TestCost:
    def shop(self, world: World, count: int) -> None:
        product = world.product(price=1_000, stock=count)
        for _ in range(count):
            world.paid(world.customer(balance=1_000), product)
            world.qris(world.customer(), world.product(stock=1, price=1_000))

    def cost(self, world: World) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert broken_invariants(world.now) == []
        return len(queries)

    def test_a_larger_store_costs_no_more_queries(self, world: World) -> None:
        self.shop(world, 1)
        small = self.cost(world)
        self.shop(world, 12)
        assert self.cost(world) == small < 100

    def test_of_many_violations_some_are_named_and_the_rest_counted(self, world: World) -> None:
        world.product(stock=MOST_NAMED + 5)
        other = world.product(stock=0)
        StockItem.objects.update(product=other)
        (found,) = [each for each in check_invariants(now=world.now) if each.violations]
        assert found.name == "I2"
        strays = [line for line in found.violations if line.startswith("STCK")]
        assert (len(strays), found.more) == (MOST_NAMED, 5)
        assert "I2 and 5 more" in broken_invariants(world.now)


@pytest.mark.django_db(transaction=True, databases=["default", "audit"])
def test_a_sale_during_the_look_is_not_seen_by_half(
    committed_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = committed_world
    product = world.product(price=1_000, stock=1)
    customer = world.customer(balance=1_000)
    seen: list[int] = []

    def look(_now: Any) -> tuple[list[str], int]:
        seen.append(Order.objects.count())
        at_once([lambda: world.paid(customer, product)])
        seen.append(Order.objects.count())
        return [], 0

    probe = Invariant("I0", "a sale in between", Order.objects.count, look)
    monkeypatch.setattr(invariants, "INVARIANTS", (probe,))
    check_invariants(now=world.now)
    assert (seen, Order.objects.count()) == ([0, 0], 1)
