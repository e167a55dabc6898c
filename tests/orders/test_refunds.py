"""A refund happens once, as it was shown, within what was paid."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.models import LedgerEntry, LedgerKind
from audit.models import AuditEntry
from core.errors import DomainError
from core.models import OutboxMessage
from operations.invariants import broken_invariants
from orders.errors import OrderNotFound, RefundChanged, RefundRefusal, RefundRefused
from orders.models import OrderItem, Refund, RefundKind, RefundPolicy
from orders.refund_terms import RefundTerms
from orders.services.refund_policies import set_refund_policy
from orders.services.refund_quotes import RefundRequest, quote_refund
from orders.services.refunds import record_refund_outside, refund_to_balance
from tests.orders.steps import delivered
from tests.world import World

STAFF = {"actor": "staff:sari", "source": "admin"}


def request_of(world: World, item: OrderItem, units: int | None = None) -> RefundRequest:
    return quote_refund(order_item_id=item.pk, units=units, now=world.now).request


def to_balance(world: World, request: RefundRequest) -> Refund:
    return refund_to_balance(request=request, now=world.now, **STAFF)


def outside(world: World, request: RefundRequest, note: str = "BCA 22:05") -> Refund:
    return record_refund_outside(request=request, note=note, now=world.now, **STAFF)


def balance_of(item: OrderItem) -> Decimal:
    item.order.customer.refresh_from_db()
    return item.order.customer.account_balance


def told() -> list[tuple[int | None, str]]:
    rows = OutboxMessage.objects.filter(kind__contains="refund").order_by("pk")
    return list(rows.values_list("recipient", "kind"))


def refused(act: Callable[[], Any]) -> DomainError:
    """Return the refusal; nothing may have changed."""
    counted = (Refund, LedgerEntry, AuditEntry, OutboxMessage)
    before = [model.objects.count() for model in counted]
    with pytest.raises(DomainError) as refusal:
        act()
    assert [model.objects.count() for model in counted] == before
    return refusal.value


def test_a_refund_reaches_balance_ledger_audit_and_the_people(world: World) -> None:
    item = delivered(world)
    world.later(days=3)
    refund = to_balance(world, request_of(world, item))
    customer = item.order.customer_id
    assert balance_of(item) == refund.amount == 36_000
    entry = LedgerEntry.objects.get(kind=LedgerKind.REFUND)
    assert (entry.amount, entry.customer_id, entry.actor) == (36_000, customer, "staff:sari")
    assert entry.reference == item.order.invoice_id
    assert (refund.days_used, refund.claims, refund.multiplier) == (3, 0, Decimal("0.8"))
    audited = AuditEntry.objects.get(action="refund_balance")
    assert (audited.target, audited.source) == (f"order:{item.order_id}", "admin")
    assert audited.after == {
        "refund": refund.pk,
        "order_item_id": item.pk,
        "units": 1,
        "price": "50000",
        "amount": "36000",
        "days_used": 3,
        "claims": 0,
        "multiplier": "0.8",
    }
    assert told() == [(customer, "refund_credited"), (None, "staff_refund")]
    assert broken_invariants(world.now) == []


def test_confirming_twice_refunds_once(world: World) -> None:
    item = delivered(world)
    request = request_of(world, item)
    first = to_balance(world, request)
    world.later(days=40)  # also when the quote would be another by now
    assert to_balance(world, request) == first
    assert outside(world, request) == first
    assert balance_of(item) == 40_000
    assert (
        Refund.objects.count() == AuditEntry.objects.filter(action="refund_balance").count() == 1
    )
    assert len(told()) == 2


def test_paid_outside_is_recorded_and_moves_no_balance(world: World) -> None:
    item = delivered(world)
    refund = outside(world, request_of(world, item), note="  BCA 22:05 ")
    assert (refund.kind, refund.note, refund.amount) == (RefundKind.OUTSIDE, "BCA 22:05", 40_000)
    assert balance_of(item) == 0
    assert not LedgerEntry.objects.filter(kind=LedgerKind.REFUND).exists()
    assert told() == [(item.order.customer_id, "refund_paid"), (None, "staff_refund")]
    assert "BCA" not in str(AuditEntry.objects.get(action="refund_outside").after)
    assert broken_invariants(world.now) == []


@pytest.mark.parametrize("note", ["", "  \n", "x" * 501])
def test_paid_outside_needs_a_note(world: World, note: str) -> None:
    request = request_of(world, delivered(world))
    refusal = refused(lambda: outside(world, request, note))
    assert isinstance(refusal, RefundRefused)
    assert refusal.reason == RefundRefusal.NOTE


def test_another_amount_than_was_shown_is_not_refunded(world: World) -> None:
    item = delivered(world)
    request = request_of(world, item)
    world.later(days=1)
    refusal = refused(lambda: to_balance(world, request))
    assert isinstance(refusal, RefundChanged)
    assert refusal.quote.amount == 38_667
    assert to_balance(world, refusal.quote.request).amount == 38_667


def test_other_units_than_were_shown_are_not_refunded(world: World) -> None:
    """They cost the same; but somebody has refunded the first of them meanwhile."""
    item = delivered(world, quantity=3)
    two = request_of(world, item, 2)
    to_balance(world, request_of(world, item, 1))
    refusal = refused(lambda: to_balance(world, two))
    assert isinstance(refusal, RefundChanged)
    assert (refusal.quote.first_unit, refusal.quote.units) == (1, 2)


def test_a_forged_amount_is_not_paid(world: World) -> None:
    request = request_of(world, delivered(world))
    forged = replace(request, amount=Decimal(50_000))
    assert isinstance(refused(lambda: to_balance(world, forged)), RefundChanged)


def test_nothing_is_refunded_when_the_period_is_over(world: World) -> None:
    item = delivered(world)
    world.later(days=30)
    request = request_of(world, item)
    refusal = refused(lambda: to_balance(world, request))
    assert isinstance(refusal, RefundRefused)
    assert refusal.reason == RefundRefusal.NOTHING_LEFT
    assert refusal.quote is not None
    assert refusal.quote.days_used == 30


def test_an_unknown_item_is_not_found(world: World) -> None:
    request = RefundRequest(1, 0, 1, Decimal(1))
    assert isinstance(refused(lambda: to_balance(world, request)), OrderNotFound)


def test_an_order_that_is_not_paid_is_refused(world: World) -> None:
    payment = world.qris(world.customer(), world.product())
    request = RefundRequest(payment.order.items.get().pk, 0, 1, Decimal(40_000))
    refusal = refused(lambda: to_balance(world, request))
    assert isinstance(refusal, RefundRefused)
    assert refusal.reason == RefundRefusal.NOT_PAID


def test_unit_by_unit_no_more_than_was_paid_comes_back(world: World) -> None:
    set_refund_policy(terms=RefundTerms.parse("30|0:1|1:1"), now=world.now, **STAFF)
    item = delivered(world, price=10_000, quantity=3, discount=10_001)
    for _ in range(3):
        to_balance(world, request_of(world, item, 1))
    assert balance_of(item) == 19_999
    with pytest.raises(RefundRefused, match="all_refunded"):
        request_of(world, item)
    assert broken_invariants(world.now) == []


class TestPolicy:
    def put(self, world: World, text: str) -> RefundPolicy:
        return set_refund_policy(terms=RefundTerms.parse(text), now=world.now, **STAFF)

    def test_the_newest_is_in_force_and_the_refund_says_which(self, world: World) -> None:
        item = delivered(world, quantity=2)
        plain = to_balance(world, request_of(world, item, 1))
        self.put(world, "60|0:1|1:0.5")
        policy = self.put(world, "30|0:0.5|1:0.25")
        changed = to_balance(world, request_of(world, item, 1))
        assert (plain.policy, plain.amount) == (None, 40_000)
        assert (changed.policy, changed.amount) == (policy, 25_000)

    def test_each_version_is_audited_with_the_one_before(self, world: World) -> None:
        self.put(world, "60|0:1|1:0.5")
        self.put(world, "30|0:0.5|1:0.25")
        changes = AuditEntry.objects.filter(action="set_refund_policy").order_by("pk")
        assert [(entry.before["formula"], entry.after["formula"]) for entry in changes] == [
            ("30|0:0.8,7:0.7|1:0.6,3:0.5,4:0.4", "60|0:1|1:0.5"),
            ("60|0:1|1:0.5", "30|0:0.5|1:0.25"),
        ]

    def test_the_same_again_is_no_new_version(self, world: World) -> None:
        assert self.put(world, "30|0:0.5|1:0.25") == self.put(world, "30|0:0.50|1:0.25")
        assert AuditEntry.objects.filter(action="set_refund_policy").count() == 1

    def test_an_earlier_one_may_come_back(self, world: World) -> None:
        first = self.put(world, "30|0:0.5|1:0.25")
        self.put(world, "60|0:1|1:0.5")
        assert self.put(world, "30|0:0.5|1:0.25") != first

    def test_a_quote_of_the_formula_before_is_not_confirmed(self, world: World) -> None:
        request = request_of(world, delivered(world))
        self.put(world, "30|0:0.5|1:0.25")
        assert isinstance(refused(lambda: to_balance(world, request)), RefundChanged)


def insert(world: World, item: OrderItem, **changes: Any) -> None:
    """Write a refund past the services."""
    fields = {
        "quote_key": "test",
        "order": item.order,
        "order_item": item,
        "units": 1,
        "price": 50_000,
        "amount": 50_000,
        "period_days": 30,
        "days_used": 0,
        "claims": 0,
        "multiplier": 1,
        "kind": RefundKind.OUTSIDE,
        "note": "x",
        "created_at": world.now,
    }
    with transaction.atomic():
        Refund.objects.create(**fields | changes)


class TestDatabase:
    @pytest.mark.parametrize(
        "changes",
        [
            {"amount": 0},
            {"amount": -1},
            {"amount": 50_001},
            {"amount": Decimal("10.50")},
            {"units": 0},
            {"units": 2},
            {"price": 50_001},
            {"period_days": 0},
            {"multiplier": Decimal("1.1")},
            {"note": ""},
            {"kind": "gift"},
        ],
        ids=str,
    )
    def test_it_refuses_a_refund_that_cannot_be(
        self, world: World, changes: dict[str, Any]
    ) -> None:
        item = delivered(world)
        with pytest.raises(IntegrityError):
            insert(world, item, **changes)
        insert(world, item)  # the control: without the change it is taken
        assert Refund.objects.count() == 1

    def test_it_refuses_more_units_or_more_money_than_are_left(self, world: World) -> None:
        item = delivered(world, quantity=2)
        insert(world, item, price=99_999, amount=1)
        with pytest.raises(IntegrityError, match="no more than was paid"):
            insert(world, item, quote_key="2", price=2, amount=1)
        insert(world, item, quote_key="2", price=1, amount=1)
        with pytest.raises(IntegrityError, match="no more than was paid"):
            insert(world, item, quote_key="3", price=0, amount=0)

    def test_it_refuses_an_unpaid_order_and_another_orders_item(self, world: World) -> None:
        item, other = delivered(world), delivered(world)
        unpaid = world.qris(world.customer(), world.product()).order.items.get()
        with pytest.raises(IntegrityError, match="no more than was paid"):
            insert(world, unpaid, order=unpaid.order)
        with pytest.raises(IntegrityError, match="no more than was paid"):
            insert(world, item, order=other.order)

    def test_it_refuses_the_same_quote_twice(self, world: World) -> None:
        item = delivered(world, quantity=2)
        insert(world, item)
        with pytest.raises(IntegrityError, match="quote_key"):
            insert(world, item)

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE orders_refund SET amount = 1",
            "DELETE FROM orders_refund",
            "TRUNCATE orders_refund",
            "UPDATE orders_refundpolicy SET period_days = 1",
            "DELETE FROM orders_refundpolicy WHERE period_days = 60",
            "TRUNCATE orders_refundpolicy CASCADE",
        ],
    )
    def test_it_keeps_refunds_and_formulas_as_they_are(self, world: World, statement: str) -> None:
        set_refund_policy(terms=RefundTerms.parse("60|0:1|1:1"), now=world.now, **STAFF)
        to_balance(world, request_of(world, delivered(world)))
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        assert Refund.objects.get().amount == 50_000
        assert RefundPolicy.objects.get().period_days == 60
