"""Places an order: its price is fixed, its goods and its voucher are reserved."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.errors import CustomerBanned
from accounts.models import Customer
from catalog.services.stock import reserve_stock
from core.ids import new_invoice_id
from core.models import store_settings
from orders.errors import PriceChanged, TooManyOpenOrders
from orders.models import Order, OrderItem, OrderStatus, PaymentMethod
from orders.services.pausing import check_pause
from orders.services.quotes import Quote, price_order, sellable_product
from orders.services.vouchers import reserve_voucher


@dataclass(frozen=True)
class Checkout:
    """What a button of a summary carries. `total` is what the customer saw, never trusted."""

    customer_id: int
    key: str
    product_id: int
    quantity: int
    total: Decimal
    voucher_id: int | None = None

    @property
    def checkout_key(self) -> str:
        """The summary's key, made the customer's own: nobody finds another's order with it."""
        return f"{self.customer_id}:{self.key[:32]}"


@transaction.atomic
def place_order(*, checkout: Checkout, method: PaymentMethod, now: datetime) -> tuple[Order, bool]:
    """Place the order of a summary and return it with whether it is new.

    The same summary again returns the order it placed, whatever became of it. Raises
    CustomerBanned, TooManyOpenOrders, OrderingPaused, ProductUnavailable, QuantityOutOfRange,
    VoucherRefused, PriceChanged or OutOfStock; then nothing was stored.
    """
    # One customer's placements wait for each other here: a double tap finds the first one's order.
    customer = Customer.objects.lock().get(pk=checkout.customer_id)
    known = Order.objects.lock().filter(checkout_key=checkout.checkout_key).first()
    if known is not None:
        if customer.is_banned and known.status == OrderStatus.PENDING:
            raise CustomerBanned
        return known, False
    if method == PaymentMethod.QRIS:
        _check_open_orders(customer)
        check_pause(customer=customer, now=now)
    quote = _price(checkout, customer, now)
    order = _store(checkout, customer, quote, method, now)
    if quote.voucher is not None:
        reserve_voucher(order=order, voucher_id=quote.voucher.pk, now=now)
    for item in order.items.select_related("product"):
        reserve_stock(order_item=item)
    return order, True


def _check_open_orders(customer: Customer) -> None:
    limit = store_settings().max_open_orders
    open_orders = list(customer.orders.pending().order_by("-pk"))
    if len(open_orders) >= limit:
        raise TooManyOpenOrders(limit=limit, orders=open_orders)


def _price(checkout: Checkout, customer: Customer, now: datetime) -> Quote:
    product = sellable_product(
        customer=customer, product_id=checkout.product_id, quantity=checkout.quantity
    )
    quote = price_order(
        customer=customer,
        product=product,
        quantity=checkout.quantity,
        voucher_id=checkout.voucher_id,
        now=now,
    )
    if quote.total != checkout.total:
        raise PriceChanged(quote)
    return quote


def _store(
    checkout: Checkout, customer: Customer, quote: Quote, method: PaymentMethod, now: datetime
) -> Order:
    order = Order.objects.create(
        invoice_id=new_invoice_id(now),
        checkout_key=checkout.checkout_key,
        customer=customer,
        subtotal=quote.subtotal,
        voucher_discount=quote.voucher_discount,
        total_bill=quote.total,
        payment_method=method,
        placed_at=now,
        expires_at=now + store_settings().payment_time,
    )
    OrderItem.objects.create(
        order=order,
        product=quote.product,
        product_name=quote.product.name,
        quantity=quote.quantity,
        unit_price=quote.unit_price,
    )
    return order
