"""The database lets states move only as they may, whoever writes."""

from collections.abc import Callable
from functools import partial
from itertools import permutations
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.utils import timezone

from catalog.models import StockItem, StockState
from orders.models import Order, OrderStatus, VoucherUse, VoucherUseState
from payments.models import Payment, PaymentStatus
from tests.bank import Bank
from tests.payments.steps import opened
from tests.unguarded import unguarded
from tests.world import World

pytestmark = pytest.mark.django_db
NOW = timezone.now()
ENDED = {"expired": {"ended_at": NOW}, "cancelled": {"ended_at": NOW}, "failed": {"ended_at": NOW}}


def allowed(
    row: Model, field: str, states: type[Any], columns: Callable[[str], dict[str, Any]]
) -> set[tuple[str, str]]:
    """Try every change of the row's state; return those the database takes."""
    rows = type(row)._default_manager.filter(pk=row.pk)
    taken = set()
    for old, new in permutations(states.values, 2):
        with unguarded():
            rows.update(**{field: old}, **columns(old))
        if is_taken(partial(rows.update, **{field: new}, **columns(new))):
            taken.add((str(old), str(new)))
    return taken


def is_taken(change: Callable[[], object]) -> bool:
    """Return whether a change goes through, and take it back; it is refused as a transition."""
    try:
        with transaction.atomic():
            change()
            transaction.set_rollback(True)
    except IntegrityError as error:
        if "cannot go from" not in str(error):
            raise
        return False
    return True


def test_an_order_is_paid_or_ends_and_comes_back_only_to_be_paid(world: World) -> None:
    order = world.qris(world.customer(), world.product()).order
    ended = {"expired", "cancelled"}

    def columns(status: str) -> dict[str, Any]:
        times = {"paid_at": None, "ended_at": None}
        times |= {"paid_at": NOW} if status == "paid" else ENDED.get(status, {})
        return times

    assert order is not None
    assert allowed(order, "status", OrderStatus, columns) == {
        ("pending", "paid"),
        *(("pending", each) for each in ended),
        *((each, "pending") for each in ended),
    }


def test_an_ended_order_that_comes_back_unpaid_is_refused_at_the_end(world: World) -> None:
    order = Order.objects.filter(pk=world.qris(world.customer(), world.product()).order_id)
    order.update(status="expired", ended_at=NOW)
    order.update(status="pending", ended_at=None)
    with pytest.raises(IntegrityError, match="was reopened and not paid"), transaction.atomic():
        connection.check_constraints()
    order.update(status="paid", paid_at=NOW)
    connection.check_constraints()


def test_a_payment_moves_forward_and_completed_is_final(world: World, bank: Bank) -> None:
    payment = opened(world, world.customer(), world.product())

    def columns(status: str) -> dict[str, Any]:
        values = {"ended_at": None, "completed_at": None, "received_amount": None}
        done = {"completed_at": NOW, "received_amount": payment.amount}
        return values | (done if status == "completed" else ENDED.get(status, {}))

    ends = ("completed", "expired", "cancelled", "failed")
    assert allowed(payment, "status", PaymentStatus, columns) == {
        ("creating", "pending"),
        *((start, end) for start in ("creating", "pending") for end in ends),
        *((end, "completed") for end in ends[1:]),
    }


def test_a_stock_item_is_sold_or_withdrawn_for_good(world: World) -> None:
    item = world.qris(world.customer(), world.product(stock=1)).order.items.get()
    stock = StockItem.objects.get()

    def columns(state: str) -> dict[str, Any]:
        return {"order_item": item if state in {"reserved", "sold"} else None}

    assert allowed(stock, "state", StockState, columns) == {
        ("available", "reserved"),
        ("reserved", "available"),
        ("reserved", "sold"),
        ("available", "withdrawn"),
    }


def test_a_voucher_use_is_consumed_for_good(world: World) -> None:
    world.qris(world.customer(), world.product(), voucher=world.voucher(), total=40_000)

    def columns(state: str) -> dict[str, Any]:
        return {"consumed_at": NOW if state == "consumed" else None}

    assert allowed(VoucherUse.objects.get(), "state", VoucherUseState, columns) == {
        ("reserved", "consumed"),
        ("reserved", "released"),
        ("released", "reserved"),
    }


def test_other_columns_change_freely(world: World) -> None:
    world.qris(world.customer(), world.product())
    assert Payment.objects.update(attempts=3) == 1
    assert Order.objects.update(payment_fee=7) == 1
