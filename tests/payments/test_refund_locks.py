"""Refunds of one order on several connections; each lock has a control."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection
from django.db.models import Sum

from accounts.models import Customer, CustomerQuerySet
from audit.models import AuditEntry
from operations.invariants import broken_invariants
from orders.errors import RefundChanged
from orders.models import Order, OrderItem, OrderQuerySet, Refund, RefundPolicy
from orders.refund_terms import RefundTerms
from orders.services import refund_policies
from orders.services.refund_policies import set_refund_policy
from orders.services.refund_quotes import quote_refund
from orders.services.refunds import record_refund_outside, refund_to_balance
from tests.concurrency import at_once, overlap, unlocked
from tests.orders.steps import delivered
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "audit"])
STAFF = {"actor": "test", "source": "test"}
TRIGGER = "ALTER TABLE orders_refund {} TRIGGER refund_within_paid"


@pytest.fixture
def sold(committed_world: World) -> OrderItem:
    """Three accounts at Rp50.000; the formula gives all of a price back on the first day."""
    terms = RefundTerms.parse("30|0:1|1:1")
    set_refund_policy(terms=terms, now=committed_world.now, **STAFF)
    return delivered(committed_world, quantity=3)


@pytest.fixture
def _no_trigger(committed_world: World) -> Iterator[None]:
    """Take away what the database knows of I10, so that only the lock stands for it."""
    with connection.cursor() as cursor:
        cursor.execute(TRIGGER.format("DISABLE"))
    yield
    with connection.cursor() as cursor:
        cursor.execute(TRIGGER.format("ENABLE"))


def refunding(world: World, item: OrderItem, units: int) -> Callable[[], Refund]:
    request = quote_refund(order_item_id=item.pk, units=units, now=world.now).request
    return partial(refund_to_balance, request=request, now=world.now, **STAFF)


def recording(world: World, item: OrderItem, units: int) -> Callable[[], Refund]:
    request = quote_refund(order_item_id=item.pk, units=units, now=world.now).request
    return partial(record_refund_outside, request=request, note="cash", now=world.now, **STAFF)


def given_back() -> int:
    return int(Refund.objects.aggregate(sum=Sum("amount", default=0))["sum"])


class TestTwoRefunds:
    """Of three units and of two, quoted before either was confirmed: one of them is too much."""

    def test_the_second_waits_and_is_shown_what_is_left(
        self, committed_world: World, sold: OrderItem
    ) -> None:
        world = committed_world
        first, second = refunding(world, sold, 2), recording(world, sold, 1)
        [result] = overlap(first, second)
        assert isinstance(result, RefundChanged)
        assert (result.quote.first_unit, result.quote.units) == (2, 1)
        assert given_back() == 100_000
        assert broken_invariants(world.now) == []

    def beside_each_other(self, world: World, item: OrderItem) -> Any:
        [result] = overlap(refunding(world, item, 3), refunding(world, item, 2))
        return result

    @pytest.mark.usefixtures("_no_trigger")
    def test_control_without_locks_more_is_given_back_than_was_paid(
        self, committed_world: World, sold: OrderItem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for queryset in (CustomerQuerySet, OrderQuerySet):
            monkeypatch.setattr(queryset, "lock", unlocked)
        self.beside_each_other(committed_world, sold)
        assert given_back() == 250_000
        assert any(each.startswith("I10 ") for each in broken_invariants(committed_world.now))

    @pytest.mark.usefixtures("_no_trigger")
    def test_control_without_the_orders_lock_what_is_paid_outside_is_too_much(
        self, committed_world: World, sold: OrderItem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two who begin at once by other means: only the order's lock is between them then."""
        world = committed_world
        monkeypatch.setattr(CustomerQuerySet, "lock", unlocked)
        overlap(recording(world, sold, 3), recording(world, sold, 2))
        assert given_back() == 150_000
        monkeypatch.setattr(OrderQuerySet, "lock", unlocked)
        other = delivered(world, quantity=3)
        overlap(recording(world, other, 3), recording(world, other, 2))
        assert given_back() == 400_000
        assert any(each.startswith("I10 ") for each in broken_invariants(world.now))

    def test_without_locks_the_database_still_refuses_the_second(
        self, committed_world: World, sold: OrderItem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for queryset in (CustomerQuerySet, OrderQuerySet):
            monkeypatch.setattr(queryset, "lock", unlocked)
        result = self.beside_each_other(committed_world, sold)
        assert isinstance(result, IntegrityError)
        assert "no more than was paid" in str(result)
        assert given_back() == 150_000
        assert broken_invariants(committed_world.now) == []

    def test_ten_confirmations_of_one_quote_are_one_refund(
        self, committed_world: World, sold: OrderItem
    ) -> None:
        results = at_once([refunding(committed_world, sold, 3)] * 10)
        assert results == [Refund.objects.get()] * 10
        assert AuditEntry.objects.filter(action="refund_balance").count() == 1
        sold.order.customer.refresh_from_db()
        assert sold.order.customer.account_balance == 150_000

    def test_control_without_locks_a_constraint_has_to_stop_the_second_confirmation(
        self, committed_world: World, sold: OrderItem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for queryset in (CustomerQuerySet, OrderQuerySet):
            monkeypatch.setattr(queryset, "lock", unlocked)
        confirming = refunding(committed_world, sold, 3)
        [result] = overlap(confirming, confirming)
        assert isinstance(result, IntegrityError)


class TestOrderOfLocks:
    def beside_a_purchase(self, world: World, item: OrderItem) -> list[Any]:
        """Refund while a purchase holds the customer and asks for the order next."""
        customer = item.order.customer_id
        return overlap(
            lambda: Customer.objects.select_for_update(no_key=True).get(pk=customer),
            refunding(world, item, 1),
            last=lambda: Order.objects.select_for_update(no_key=True).get(pk=item.order_id),
        )

    def test_a_refund_locks_the_customer_before_the_order(
        self, committed_world: World, sold: OrderItem
    ) -> None:
        [refund] = self.beside_a_purchase(committed_world, sold)
        assert refund == Refund.objects.get()

    def test_control_without_the_customers_lock_it_deadlocks_with_a_purchase(
        self, committed_world: World, sold: OrderItem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(CustomerQuerySet, "lock", unlocked)
        with pytest.raises(OperationalError, match="deadlock"):
            self.beside_a_purchase(committed_world, sold)


class TestPolicies:
    def two_formulas(self, world: World) -> list[tuple[str, str]]:
        """Put a second formula in force before the first one is committed."""
        first, second = [
            partial(set_refund_policy, terms=RefundTerms.parse(text), now=world.now, **STAFF)
            for text in ("60|0:1|1:1", "90|0:1|1:1")
        ]
        overlap(first, second)
        entries = AuditEntry.objects.filter(action="set_refund_policy").order_by("pk")
        return [(entry.before["formula"][:2], entry.after["formula"][:2]) for entry in entries]

    def test_the_second_knows_the_first(self, committed_world: World) -> None:
        assert self.two_formulas(committed_world) == [("30", "60"), ("60", "90")]

    def test_control_without_the_turn_the_second_says_it_followed_another(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(refund_policies, "take_turn", lambda: None)
        assert self.two_formulas(committed_world) == [("30", "60"), ("30", "90")]
        assert RefundPolicy.objects.count() == 2
