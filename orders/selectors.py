"""What screens and pages read: offers, lists, histories, goods."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

from django.core.paginator import Paginator
from django.db.models import Count, F, Q, QuerySet, Sum

from accounts.models import Customer
from catalog.errors import ProductUnavailable
from catalog.models import Category, Product
from catalog.selectors import StockCounts, stock_counts
from catalog.services.pricing import Price, price_for
from orders.errors import OrderNotFound
from orders.models import Order, OrderItem, OrderStatus
from orders.services.placing import Checkout
from orders.services.quotes import most_per_order

PAGE_SIZE = 8
UNCATEGORISED = 0
T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list; `number` counts from 1 and is always one that exists."""

    items: list[T]
    number: int
    pages: int

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    @property
    def has_next(self) -> bool:
        return self.number < self.pages


@dataclass(frozen=True)
class Offer:
    """A product as one customer sees it. `stock` None: no limit. `most`: may be bought now."""

    product: Product
    price: Price
    stock: int | None
    sold: int
    most: int

    @property
    def is_sold_out(self) -> bool:
        return self.most == 0


@dataclass(frozen=True)
class CategoryEntry:
    """`id` 0 and an empty name stand for the products without a category."""

    id: int
    name: str
    products: int


@dataclass(frozen=True)
class TopBuyer:
    masked_name: str
    orders: int
    spent: Decimal


@dataclass(frozen=True)
class StoreTotals:
    customers: int
    orders: int


def get_offer(*, product_id: int, customer: Customer) -> Offer:
    """Raise ProductUnavailable when the product is not on sale."""
    product = Product.objects.on_sale().select_related("category").filter(pk=product_id).first()
    if product is None:
        raise ProductUnavailable(product_id)
    return _offers([product], customer)[0]


def find_product_by_number(*, number: int) -> Product | None:
    if not 0 < number <= 2_147_483_647:
        return None
    return Product.objects.on_sale().filter(number=number).first()


def list_categories() -> list[CategoryEntry]:
    """Return the categories that have products on sale, by name; those without one come last."""
    on_sale = Q(products__deleted_at=None, products__is_active=True)
    rows = Category.objects.annotate(on_sale=Count("products", filter=on_sale)).filter(
        on_sale__gt=0
    )
    entries = [CategoryEntry(row.pk, row.name, row.on_sale) for row in rows.order_by("name")]
    loose = Product.objects.on_sale().filter(category=None).count()
    return [*entries, CategoryEntry(UNCATEGORISED, "", loose)] if loose else entries


def list_products(*, customer: Customer, page: int, category_id: int | None = None) -> Page[Offer]:
    """List products by number, sold-out ones too; category 0 is 'without category'."""
    products = Product.objects.on_sale().select_related("category").order_by("number")
    if category_id is not None:
        products = products.filter(category=category_id or None)
    return _offer_page(products, customer, page)


def best_sellers(*, customer: Customer, page: int) -> Page[Offer]:
    """List what was sold most (paid units plus what staff added), then by number."""
    paid = Q(order_items__order__status=OrderStatus.PAID)
    units = Sum("order_items__quantity", filter=paid, default=0) + F("sold_shown")
    products = Product.objects.on_sale().select_related("category").annotate(units=units)
    return _offer_page(products.filter(units__gt=0).order_by("-units", "number"), customer, page)


def top_buyers(limit: int = 10) -> list[TopBuyer]:
    rows = (
        Customer.objects.filter(orders__status=OrderStatus.PAID)
        .annotate(paid=Count("orders"), spent=Sum("orders__total_bill"))
        .order_by("-spent", "pk")
        .values_list("name", "paid", "spent")
    )
    return [TopBuyer(mask_name(name), paid, spent) for name, paid, spent in rows[:limit]]


def mask_name(name: str) -> str:
    """Show enough of a name for its owner to know it: `Sari` becomes `Sa***`."""
    shown = name.strip()[: 2 if len(name.strip()) > 3 else 1]
    return f"{shown}***"


def numbers_in_stock(*, limit: int = 24) -> list[int]:
    counts = stock_counts()
    rows = Product.objects.on_sale().order_by("number").values_list("pk", "number")
    return [number for pk, number in rows if counts.get(pk, 0) != 0][:limit]


def similar_in_stock(*, product: Product, customer: Customer, limit: int = 3) -> list[Offer]:
    """Return products in stock of the same category, nearest in price first."""
    others = Product.objects.on_sale().select_related("category").exclude(pk=product.pk)
    offers = _offers(list(others.filter(category=product.category_id)), customer)
    price = product.customer_price
    offers.sort(key=lambda offer: abs(offer.product.customer_price - price))
    return [offer for offer in offers if not offer.is_sold_out][:limit]


def stock_list(*, customer: Customer, page: int) -> Page[Offer]:
    products = Product.objects.on_sale().select_related("category").order_by("number")
    return _offer_page(products, customer, page, size=25)


def store_totals() -> StoreTotals:
    return StoreTotals(Customer.objects.count(), Order.objects.paid().count())


def order_history(*, customer_id: int, page: int) -> Page[Order]:
    orders = Order.objects.filter(customer=customer_id).order_by("-pk").prefetch_related("items")
    return _page(orders, page, PAGE_SIZE)


def get_order(*, customer_id: int, order_id: int) -> Order:
    """Return a customer's own order; raise OrderNotFound for any other."""
    order = Order.objects.filter(pk=order_id, customer=customer_id).first()
    if order is None:
        raise OrderNotFound(str(order_id))
    return order


def find_placed_order(*, checkout: Checkout) -> Order | None:
    """Return the order that this summary has placed already, if any."""
    return Order.objects.filter(checkout_key=checkout.checkout_key).first()


def _offer_page(
    products: "QuerySet[Product] | list[Product]",
    customer: Customer,
    page: int,
    size: int = PAGE_SIZE,
) -> Page[Offer]:
    found = _page(products, page, size)
    return Page(_offers(found.items, customer), found.number, found.pages)


def _page(rows: "QuerySet[T] | list[T]", page: int, size: int) -> Page[T]:  # type: ignore[type-var]
    paginator = Paginator(rows, size)
    found = paginator.get_page(page)
    return Page(list(found), found.number, paginator.num_pages)


def _offers(products: list[Product], customer: Customer) -> list[Offer]:
    counts = stock_counts()
    sold = _sold_units(product.pk for product in products)
    return [
        _offer(product, customer, counts, sold.get(product.pk, 0) + product.sold_shown)
        for product in products
    ]


def _offer(product: Product, customer: Customer, counts: StockCounts, sold: int) -> Offer:
    stock = counts.get(product.pk, 0)
    limit = most_per_order(product)
    return Offer(
        product=product,
        price=price_for(product=product, is_reseller=customer.is_reseller),
        stock=stock,
        sold=max(sold, 0),
        most=limit if stock is None else min(limit, stock),
    )


def _sold_units(product_ids: Iterable[int]) -> dict[int, int]:
    rows = (
        OrderItem.objects.filter(product__in=list(product_ids), order__status=OrderStatus.PAID)
        .values_list("product")
        .annotate(units=Sum("quantity"))
    )
    return dict(rows)
