"""Rotation beside sales and beside another rotation, on real connections."""

from functools import partial
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db.models import QuerySet

from catalog.models import StockItem, StockState
from core.encryption import key_id
from operations import rotation
from operations.rotation import ENCRYPTED, count_by_key, prepare_batch, rotate_keys, write_batch
from orders.goods import goods_of
from orders.models import Order
from payments.services.checkout import buy_with_balance
from tests.concurrency import at_once, overlap
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "audit"])
OLD, NEW, NEWEST = (Fernet.generate_key().decode() for _ in range(3))
STOCK = ENCRYPTED[0]


@pytest.fixture(autouse=True)
def _old_key(settings: Any) -> None:
    settings.STOCK_KEYS = [OLD]


def rotate() -> None:
    list(rotate_keys())


def buying(world: World, *, stock: int) -> tuple[list[Any], Any]:
    """Return as many purchases as there are items, and the product."""
    product = world.product(price=1_000, stock=stock)
    customers = [world.customer(balance=1_000) for _ in range(stock)]
    checkouts = [world.checkout(customer, product) for customer in customers]
    return [partial(buy_with_balance, checkout=each, now=world.now) for each in checkouts], product


def sold_and_readable(count: int) -> bool:
    """Every order has an item of its own, and its content opens."""
    goods = [each.contents for order in Order.objects.all() for each in goods_of(order=order)]
    sold = StockItem.objects.filter(state=StockState.SOLD).count()
    return sold == count == len({content for (content,) in goods})


def test_a_rotation_beside_sales_loses_neither(committed_world: World, settings: Any) -> None:
    purchases, _product = buying(committed_world, stock=8)
    settings.STOCK_KEYS = [NEW, OLD]
    results = at_once([*purchases, rotate, rotate])
    assert [type(each) for each in results[:8]] == [Order] * 8
    settings.STOCK_KEYS = [NEW]
    assert sold_and_readable(8)
    assert count_by_key() == {key_id(NEW): 8}


def test_an_item_that_is_being_sold_is_waited_for_and_rotated(
    committed_world: World, settings: Any
) -> None:
    purchases, _product = buying(committed_world, stock=1)
    settings.STOCK_KEYS = [NEW, OLD]
    overlap(purchases[0], rotate)
    settings.STOCK_KEYS = [NEW]
    assert sold_and_readable(1)


def test_an_item_that_is_being_rotated_is_not_out_of_stock(
    committed_world: World, settings: Any
) -> None:
    purchases, _product = buying(committed_world, stock=1)
    settings.STOCK_KEYS = [NEW, OLD]
    overlap(rotate, purchases[0])
    settings.STOCK_KEYS = [NEW]
    assert sold_and_readable(1)


def older_beside_newer(world: World, settings: Any) -> None:
    """Let a rotation to NEW read its rows, then one to NEWEST run, then the first write."""
    world.product(stock=3)
    settings.STOCK_KEYS = [NEW, OLD]
    prepared = []

    def read() -> None:
        rows = rotation.lock(STOCK.stale())
        prepared.append(prepare_batch(column=STOCK, rows=rows))
        settings.STOCK_KEYS = [NEWEST, NEW, OLD]

    def write() -> None:
        write_batch(column=STOCK, batch=prepared[0])

    overlap(read, rotate, last=write)


def test_of_two_rotations_the_newer_key_wins(committed_world: World, settings: Any) -> None:
    older_beside_newer(committed_world, settings)
    assert count_by_key() == {key_id(NEWEST): 3}


def test_control_without_the_lock_the_older_rotation_undoes_a_finished_one(
    committed_world: World, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unlocked(rows: QuerySet[Any], **_: Any) -> QuerySet[Any]:
        return rows

    monkeypatch.setattr(rotation, "lock", unlocked)
    older_beside_newer(committed_world, settings)
    assert count_by_key() == {key_id(NEW): 3}
