from decimal import Decimal

import pytest

from catalog.models import Category, Product
from catalog.services.pricing import Price, price_for


def product(**fields) -> Product:
    return Product(**({"number": 1, "name": "P", "customer_price": Decimal(50_000)} | fields))


def test_a_customer_pays_the_customer_price() -> None:
    price = price_for(product=product(reseller_price=Decimal(45_000)), is_reseller=False)
    assert price == Price(unit=Decimal(50_000), list_price=Decimal(50_000))
    assert not price.is_reduced


def test_a_reseller_pays_the_reseller_price_where_one_is_set() -> None:
    assert price_for(
        product=product(reseller_price=Decimal(45_000)), is_reseller=True
    ).unit == Decimal(45_000)
    assert price_for(product=product(), is_reseller=True).unit == Decimal(50_000)


def test_the_discount_comes_off_the_customers_own_price() -> None:
    price = price_for(
        product=product(reseller_price=Decimal(45_000), discount_percent=Decimal(10)),
        is_reseller=True,
    )
    assert price == Price(unit=Decimal(40_500), list_price=Decimal(45_000))
    assert price.is_reduced


def test_a_discount_of_the_product_replaces_that_of_its_category() -> None:
    category = Category(name="C", discount_percent=Decimal(50))
    assert price_for(product=product(category=category), is_reseller=False).unit == 25_000
    own = product(category=category, discount_amount=Decimal(5_000))
    assert price_for(product=own, is_reseller=False).unit == 45_000
    none = product(category=category, discount_amount=Decimal(0))
    assert price_for(product=none, is_reseller=False).unit == 50_000


@pytest.mark.parametrize(
    ("price", "percent", "unit"), [(99_999, "12.5", 87_499), (5, "50", 2), (1, "50", 0)]
)
def test_percent_is_rounded_half_up_to_whole_rupiah(price: int, percent: str, unit: int) -> None:
    reduced = product(customer_price=Decimal(price), discount_percent=Decimal(percent))
    assert price_for(product=reduced, is_reseller=False).unit == unit


def test_a_price_never_falls_below_zero() -> None:
    reduced = product(customer_price=Decimal(3_000), discount_amount=Decimal(5_000))
    assert price_for(product=reduced, is_reseller=False).unit == 0
