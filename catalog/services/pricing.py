"""The one price function."""

from dataclasses import dataclass
from decimal import Decimal

from catalog.models import Category, Product
from core.money import ZERO, percent_of


@dataclass(frozen=True)
class Price:
    """What one unit costs a customer, and what it would cost without the discount."""

    unit: Decimal
    list_price: Decimal

    @property
    def is_reduced(self) -> bool:
        return self.unit < self.list_price


def price_for(*, product: Product, is_reseller: bool) -> Price:
    """Return the unit price: reseller price if any, less the product's or its category's discount.

    A discount of the product, if it has one, replaces that of its category. Never below 0, whole
    rupiah, half up.
    """
    listed = product.customer_price
    if is_reseller and product.reseller_price is not None:
        listed = product.reseller_price
    return Price(unit=max(listed - _discount(product, listed), ZERO), list_price=listed)


def _discount(product: Product, price: Decimal) -> Decimal:
    source: Product | Category | None = product
    if product.discount_percent is None and product.discount_amount is None:
        source = product.category
    if source is None:
        return ZERO
    if source.discount_percent is not None:
        return percent_of(price, source.discount_percent)
    return source.discount_amount or ZERO
