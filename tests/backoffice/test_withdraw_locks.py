"""A batch withdrawn while somebody orders of it: the lock, and a control without it."""

from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError

from catalog.errors import OutOfStock
from catalog.models import Product, StockBatch, StockItemQuerySet, StockState
from catalog.services.withdrawal import withdraw_batch
from payments.models import Payment
from tests.concurrency import overlap, unlocked
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "audit"])


def withdrawing(world: World) -> Any:
    batch = StockBatch.objects.get()
    return partial(withdraw_batch, batch_id=batch.pk, actor="x", source="admin", now=world.now)


def states(product: Product) -> list[str]:
    return sorted(product.stock.values_list("state", flat=True))


def order_first(world: World) -> tuple[Product, Any]:
    product = world.product(stock=3)
    [result] = overlap(partial(world.qris, world.customer(), product), withdrawing(world))
    return product, result


def test_what_an_order_is_reserving_stays_with_it(committed_world: World) -> None:
    product, withdrawn = order_first(committed_world)
    assert withdrawn == 2
    assert states(product) == ["reserved", "withdrawn", "withdrawn"]


def test_control_without_the_lock_it_reaches_for_what_is_reserved(
    committed_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = committed_world
    product = world.product(stock=3)
    with monkeypatch.context() as patch:
        withdraw = withdrawing(world)
        held = partial(world.qris, world.customer(), product)

        def held_then_unlock() -> None:
            held()
            patch.setattr(StockItemQuerySet, "lock", unlocked)

        [result] = overlap(held_then_unlock, withdraw)
    assert isinstance(result, IntegrityError)
    assert states(product) == ["available", "available", "reserved"]


def test_an_order_that_comes_while_it_is_withdrawn_gets_nothing(committed_world: World) -> None:
    world = committed_world
    product = world.product(stock=3)
    [result] = overlap(withdrawing(world), partial(world.qris, world.customer(), product))
    assert isinstance(result, OutOfStock)
    assert states(product) == ["withdrawn"] * 3


def test_an_order_gets_the_goods_of_a_withdrawal_that_is_taken_back(
    committed_world: World,
) -> None:
    world = committed_world
    product = world.product(stock=1)
    ordering = partial(world.qris, world.customer(), product)
    [result] = overlap(withdrawing(world), ordering, undo=True)
    assert isinstance(result, Payment)
    assert states(product) == [StockState.RESERVED]
