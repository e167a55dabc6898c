"""Prices and vouchers for any terms: whole rupiah, never below nothing, never above the list."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from catalog.models import Category, Product
from catalog.services.pricing import price_for
from orders.models import Voucher
from orders.services.vouchers import voucher_discount

MONEY = st.integers(0, 10_000_000).map(Decimal)
PERCENT = st.decimals(0, 100, places=2)
NO_TERMS: dict[str, Decimal | None] = {}
DISCOUNT = st.one_of(
    st.just(NO_TERMS),
    st.builds(lambda percent: {"discount_percent": percent}, PERCENT),
    st.builds(lambda amount: {"discount_amount": amount}, MONEY),
)


@st.composite
def products(draw) -> Product:
    price = draw(MONEY)
    reseller_price = draw(st.none() | st.integers(0, int(price)).map(Decimal))
    product = Product(customer_price=price, reseller_price=reseller_price, **draw(DISCOUNT))
    if draw(st.booleans()):
        product.category = Category(**draw(DISCOUNT))
    return product


@given(products(), st.booleans())
def test_a_price_is_whole_and_between_nothing_and_the_list_price(
    product: Product, is_reseller: bool
) -> None:
    price = price_for(product=product, is_reseller=is_reseller)
    assert price.unit == price.unit.to_integral_value()
    assert 0 <= price.unit <= price.list_price <= product.customer_price


@given(products())
def test_a_reseller_never_has_a_higher_list_price(product: Product) -> None:
    reseller = price_for(product=product, is_reseller=True)
    assert reseller.list_price <= price_for(product=product, is_reseller=False).list_price


@given(products(), DISCOUNT)
def test_a_discount_of_the_product_replaces_that_of_its_category(
    product: Product, other: dict[str, Decimal]
) -> None:
    before = price_for(product=product, is_reseller=False)
    product.category = Category(**other)
    if product.discount_percent is not None or product.discount_amount is not None:
        assert price_for(product=product, is_reseller=False) == before


@given(MONEY, MONEY)
def test_a_nominal_voucher_takes_off_its_amount_but_never_more_than_there_is(
    amount: Decimal, subtotal: Decimal
) -> None:
    voucher = Voucher(amount=amount)
    assert voucher_discount(voucher=voucher, subtotal=subtotal) == min(amount, subtotal)


@given(PERCENT, st.none() | MONEY, MONEY)
def test_a_percent_voucher_keeps_to_its_part_and_its_cap(
    percent: Decimal, cap: Decimal | None, subtotal: Decimal
) -> None:
    voucher = Voucher(percent=percent, most_discount=cap)
    discount = voucher_discount(voucher=voucher, subtotal=subtotal)
    assert discount == discount.to_integral_value()
    assert 0 <= discount <= min(subtotal, subtotal if cap is None else cap)
    assert discount <= subtotal * percent / 100 + Decimal("0.5")
