"""What an order would cost now. Nothing is stored or reserved."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from accounts.errors import CustomerBanned
from accounts.models import Customer
from catalog.errors import OutOfStock, ProductUnavailable, QuantityOutOfRange
from catalog.models import Product
from catalog.services.pricing import Price, price_for
from catalog.services.stock import units_available
from core.models import store_settings
from core.money import ZERO
from orders.errors import VoucherRefusal, VoucherRefused
from orders.models import Voucher
from orders.services.vouchers import check_voucher, voucher_discount

QRIS_LEAST = Decimal(500)
QRIS_MOST = Decimal(10_000_000)
"""What the gateway accepts (payments.gateways.pakasir)."""


@dataclass(frozen=True)
class Quote:
    """An order's price: unit prices and totals in whole rupiah, without the gateway's fee."""

    product: Product
    quantity: int
    price: Price
    subtotal: Decimal
    voucher: Voucher | None
    voucher_discount: Decimal

    @property
    def total(self) -> Decimal:
        return self.subtotal - self.voucher_discount

    @property
    def unit_price(self) -> Decimal:
        return self.price.unit

    @property
    def list_price(self) -> Decimal:
        return self.price.list_price

    @property
    def qris_refusal(self) -> str:
        """Why QRIS cannot collect this total: `free`, `too_small`, `too_big`, or empty."""
        if self.total == ZERO:
            return "free"
        if self.total < QRIS_LEAST:
            return "too_small"
        return "too_big" if self.total > QRIS_MOST else ""

    @property
    def can_use_qris(self) -> bool:
        return not self.qris_refusal


def get_quote(
    *,
    customer: Customer,
    product_id: int,
    quantity: int,
    now: datetime,
    voucher_id: int | None = None,
) -> Quote:
    """Price an order for a customer.

    Raises CustomerBanned, ProductUnavailable, QuantityOutOfRange, OutOfStock or VoucherRefused.
    """
    product = sellable_product(customer=customer, product_id=product_id, quantity=quantity)
    available = units_available(product=product, most=quantity)
    if available < quantity:
        raise OutOfStock(product_id=product.pk, wanted=quantity, available=available)
    return price_order(
        customer=customer, product=product, quantity=quantity, voucher_id=voucher_id, now=now
    )


def sellable_product(*, customer: Customer, product_id: int, quantity: int) -> Product:
    """Return the product if this customer may buy this many of it, or raise why not."""
    if customer.is_banned:
        raise CustomerBanned
    product = Product.objects.on_sale().select_related("category").filter(pk=product_id).first()
    if product is None:
        raise ProductUnavailable(product_id)
    most = most_per_order(product)
    if not 1 <= quantity <= most:
        raise QuantityOutOfRange(quantity=quantity, most=most)
    return product


def most_per_order(product: Product) -> int:
    """Return how many units one order may hold. Shared and file goods are bought one at a time."""
    if not product.is_unique:
        return 1
    most = store_settings().max_units_per_order
    return min(most, product.per_order_limit or most)


def price_order(
    *,
    customer: Customer,
    product: Product,
    quantity: int,
    voucher_id: int | None,
    now: datetime,
) -> Quote:
    price = price_for(product=product, is_reseller=customer.is_reseller)
    subtotal = price.unit * quantity
    voucher, discount = None, ZERO
    if voucher_id is not None:
        voucher = Voucher.objects.filter(pk=voucher_id).first()
        if voucher is None:
            raise VoucherRefused(VoucherRefusal.UNKNOWN)
        check_voucher(voucher=voucher, customer=customer, subtotal=subtotal, now=now)
        discount = voucher_discount(voucher=voucher, subtotal=subtotal)
    return Quote(product, quantity, price, subtotal, voucher, discount)
