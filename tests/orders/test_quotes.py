"""Quotes: what an order would cost, with nothing stored."""

from decimal import Decimal

import pytest

from catalog.errors import OutOfStock
from catalog.models import ProductKind
from catalog.selectors import stock_counts
from orders.models import Order
from orders.services.quotes import get_quote
from tests.world import World


def test_a_quote_stores_and_reserves_nothing(world: World) -> None:
    product = world.product(price=20_000, stock=3)
    quote = get_quote(customer=world.customer(), product_id=product.pk, quantity=3, now=world.now)
    assert (quote.unit_price, quote.subtotal, quote.total) == (20_000, 60_000, 60_000)
    assert product.stock.available().count() == 3
    assert not Order.objects.exists()


def test_a_quote_counts_stock_in_the_database_not_in_the_cache(world: World, settings) -> None:
    settings.COUNTS_CACHE_SECONDS = 5
    customer, product = world.customer(), world.product(stock=0)
    assert product.pk not in stock_counts()
    world.fill(product, 2)
    assert product.pk not in stock_counts(), "people may see a count that is 5 s old"
    quote = get_quote(customer=customer, product_id=product.pk, quantity=2, now=world.now)
    assert quote.quantity == 2
    with pytest.raises(OutOfStock) as refusal:
        get_quote(customer=customer, product_id=product.pk, quantity=3, now=world.now)
    assert refusal.value.available == 2


def test_shared_goods_are_quoted_up_to_their_quota(world: World) -> None:
    customer = world.customer(balance=100_000)
    product = world.product(kind=ProductKind.SHARED, quota=1)
    get_quote(customer=customer, product_id=product.pk, quantity=1, now=world.now)
    world.paid(customer, product)
    with pytest.raises(OutOfStock):
        get_quote(customer=customer, product_id=product.pk, quantity=1, now=world.now)


@pytest.mark.parametrize(
    ("price", "refusal"),
    [(0, "free"), (499, "too_small"), (500, ""), (10_000_000, ""), (10_000_001, "too_big")],
)
def test_what_qris_can_collect(world: World, price: int, refusal: str) -> None:
    product = world.product(price=price)
    quote = get_quote(customer=world.customer(), product_id=product.pk, quantity=1, now=world.now)
    assert quote.qris_refusal == refusal


def test_a_voucher_is_taken_off_the_subtotal_once(world: World) -> None:
    voucher = world.voucher(amount=None, percent=Decimal(10))
    product = world.product(price=33_335)
    quote = get_quote(
        customer=world.customer(),
        product_id=product.pk,
        quantity=3,
        voucher_id=voucher.pk,
        now=world.now,
    )
    assert (quote.voucher_discount, quote.total) == (10_001, 90_004)
