"""A store that sells something already is never mixed with the demo."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from operations.demo.seeding import StoreSize, is_seeded, measure_store
from tests.world import World

ONE_PRODUCT = StoreSize(categories=0, products=1, items=10, vouchers=0, customers=0, orders=0)


def test_a_store_with_products_is_refused(world: World) -> None:
    world.product()
    with pytest.raises(CommandError, match="has products already"):
        call_command("seed_demo")
    assert (measure_store(), is_seeded()) == (ONE_PRODUCT, False)


def test_a_store_with_products_is_left_alone_when_asked_to(world: World) -> None:
    world.product()
    out = StringIO()
    call_command("seed_demo", "--if-empty", stdout=out)
    assert "The store has products already; nothing changed." in out.getvalue()
    assert (measure_store(), is_seeded()) == (ONE_PRODUCT, False)
