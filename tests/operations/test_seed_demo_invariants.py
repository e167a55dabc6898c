"""Each invariant is seen to be broken: a check that finds nothing could be one that looks nowhere.

What the database itself refuses (a balance below 0, a changed ledger row) cannot be broken here.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F

from accounts.models import Customer, LedgerEntry, LedgerKind
from accounts.services.balance import post_entry
from catalog.models import StockBatch, StockItem, StockState
from operations.demo import seeding
from operations.demo.plan import COMMON
from operations.demo.products import SOLD_OUT
from operations.demo.seeding import Past, plan_past, seed_store
from operations.invariants import broken_invariants
from orders.models import (
    Order,
    OrderItem,
    OrderStatus,
    Refund,
    RefundKind,
    Voucher,
    VoucherUse,
)
from payments.models import Case, Payment
from tests.operations.conftest import pretend_to_commit
from tests.unguarded import unguarded

NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
DAY = timedelta(days=1)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("short demo"),  # which is seeded once
]


@pytest.fixture(scope="module", autouse=True)
def _a_short_history(django_db_setup: Any, django_db_blocker: Any) -> Iterator[None]:
    whole = plan_past(rng=Random(1), now=NOW)
    some = [
        visit
        for number, visit in enumerate(whole.visits)
        if number % 8 == 0 or visit.fate not in COMMON or visit.voucher or visit.number == SOLD_OUT
    ]
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), pretend_to_commit():
        patch.setattr(seeding, "plan_past", lambda **_: Past(whole.presences, some))
        seed_store(seed=1, now=NOW)
        yield
        transaction.set_rollback(True)


def qris() -> Payment:
    """Return a payment that paid for its order."""
    return Payment.objects.filter(
        status="completed", order__status="paid", order__payment_method="qris"
    )[0]


def credited() -> Payment:
    entry = LedgerEntry.objects.filter(kind=LedgerKind.PAYMENT_CREDIT)[0]
    return Payment.objects.get(reference=entry.reference)


def post(kind: LedgerKind, amount: int, reference: str = "") -> None:
    post_entry(
        customer_id=800_000_001,
        amount=Decimal(amount),
        kind=kind,
        reference=reference,
        idempotency_key="test",
        actor="test",
        now=NOW,
    )


def refund(amount: int, **changes: Any) -> None:
    """Record a refund of a paid order as no service would: past the trigger that refuses it."""
    item = qris().order.items.get()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_refund DISABLE TRIGGER refund_within_paid")
    fields = {
        "quote_key": "test",
        "order": item.order,
        "order_item": item,
        "units": 1,
        "price": amount,
        "amount": amount,
        "period_days": 30,
        "days_used": 0,
        "claims": 0,
        "multiplier": 1,
        "kind": RefundKind.OUTSIDE,
        "note": "cash",
        "created_at": NOW,
    }
    Refund.objects.create(**fields | changes)


def change(row: Any, **fields: Any) -> None:
    type(row).objects.filter(pk=row.pk).update(**fields)


def reserve_again() -> None:
    """Leave a pending order whose time is over, with everything it needs."""
    unpaid = OrderItem.objects.filter(order__status="expired", order__payments__status="expired")
    item = unpaid.filter(product__kind="unique", order__voucher_use=None)[0]
    with unguarded():
        change(item.order, status="pending", ended_at=None)
    rows = StockItem.objects.filter(product=item.product_id, state="available")
    keys = list(rows.values_list("pk", flat=True)[: item.quantity])
    StockItem.objects.filter(pk__in=keys).update(state="reserved", order_item=item)


def give_away_an_item() -> None:
    sold = StockItem.objects.filter(state=StockState.SOLD)[0]
    with unguarded():
        change(sold, state=StockState.AVAILABLE, order_item=None)


def hold_for_an_ended_order() -> None:
    item = OrderItem.objects.filter(order__status="expired", product__kind="unique")[0]
    free = StockItem.objects.filter(product=item.product_id, state="available")[0]
    change(free, state=StockState.RESERVED, order_item=item)


def sell_more_copies_than_there_are() -> None:
    item = OrderItem.objects.filter(order__status="paid", shared_item__isnull=False)[0]
    change(item.product, quota=0)


def pay_twice_for_one_order() -> None:
    first = qris()
    first.pk = None
    first.reference = first.txn_id = "TWICE"
    first.save()


def release_a_used_voucher() -> None:
    use = VoucherUse.objects.filter(state="consumed")[0]
    with unguarded():
        change(use, state="released", consumed_at=None)


BREACHES: list[tuple[str, Callable[[], object]]] = [
    ("I1", give_away_an_item),
    ("I1", hold_for_an_ended_order),
    ("I2", lambda: change(StockBatch.objects.all()[0], imported_count=F("imported_count") + 1)),
    ("I2", sell_more_copies_than_there_are),
    ("I3", lambda: change(Customer.objects.get(pk=800_000_001), account_balance=1)),
    ("I4", lambda: change(qris(), applied_at=None)),
    ("I4", pay_twice_for_one_order),
    ("I4", lambda: change(qris().order, payment_method="balance")),
    ("I4", lambda: change(credited(), received_amount=F("received_amount") + 1)),
    (
        "I4",
        lambda: change(Order.objects.filter(payment_method="balance")[0], payment_method="free"),
    ),
    ("I5", lambda: change(qris().order, delivered_at=None)),
    ("I6", lambda: Voucher.objects.filter(code="PERDANA").update(total_uses=2)),
    ("I6", lambda: Voucher.objects.filter(code="PERDANA").update(uses_per_customer=0)),
    ("I7", lambda: Order.objects.filter(status="expired").update(expires_at=NOW + DAY)),
    ("I7", lambda: change(qris().order, placed_at=NOW)),
    ("I7", lambda: change(qris().order, delivered_at=F("placed_at") - DAY)),
    ("I7", lambda: Payment.objects.filter(status="expired").update(created_at=NOW)),
    ("I7", lambda: change(qris(), completed_at=F("created_at") - DAY)),
    ("I7", release_a_used_voucher),
    ("I9", reserve_again),
    ("I10", lambda: post(LedgerKind.REFUND, 1_000, qris().order.invoice_id)),
    ("I10", lambda: post(LedgerKind.REFUND, 1_000, "no such invoice")),
    ("I10", lambda: refund(10_000_000)),
    ("I10", lambda: refund(1, order=Order.objects.filter(status="expired")[0])),
    ("I10", lambda: refund(1, kind=RefundKind.BALANCE)),
]


@pytest.mark.django_db
def test_the_short_history_is_sound() -> None:
    assert broken_invariants(NOW) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "breach"), BREACHES, ids=[f"{name}-{n}" for n, (name, _) in enumerate(BREACHES)]
)
def test_a_breach_is_seen(name: str, breach: Callable[[], object]) -> None:
    breach()
    found = broken_invariants(NOW)
    assert {each.split()[0] for each in found} == {name}


@pytest.mark.django_db
def test_what_is_still_under_way_is_no_breach() -> None:
    reserve_again()
    order = Order.objects.get(status=OrderStatus.PENDING)
    assert broken_invariants(order.expires_at + timedelta(seconds=75)) == []
    assert broken_invariants(order.expires_at + timedelta(seconds=76)) != []
    change(order, placed_at=NOW, expires_at=NOW + timedelta(minutes=10))
    change(
        order.payments.get(),
        status="completed",
        received_amount=F("amount"),
        completed_at=NOW,
    )
    change(qris().order, paid_at=NOW, delivered_at=None)
    assert broken_invariants(NOW + timedelta(minutes=1)) == []


@pytest.mark.django_db
def test_a_case_explains_what_is_missing() -> None:
    order = qris().order
    change(order, delivered_at=None)
    Case.objects.create(kind="delivery_failed", key="test", order=order, opened_at=NOW)
    assert broken_invariants(NOW) == []
