"""A sale under way, for the tests of what may happen to it."""

import pytest

from accounts.models import Customer
from catalog.models import Product
from payments.models import Payment
from tests.bank import Bank
from tests.payments.steps import opened
from tests.world import World


@pytest.fixture
def sale(world: World, bank: Bank) -> tuple[Customer, Product, Payment]:
    customer, product = world.customer(), world.product(price=50_000, stock=3)
    return customer, product, opened(world, customer, product, quantity=2)
