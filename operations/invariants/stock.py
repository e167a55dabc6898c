"""I1 and I2: an item belongs to one order at most, and none is lost or made."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Subquery, Sum
from django.db.models.expressions import OuterRef
from django.db.models.functions import Coalesce

from catalog.models import Product, ProductKind, StockBatch, StockItem, StockState
from core.ids import short_stock_id
from operations.invariants.rules import ByRules, Invariant, Rule
from orders.models import OrderItem, OrderStatus

LIVE = (OrderStatus.PENDING, OrderStatus.PAID)
HELD = (StockState.RESERVED, StockState.SOLD)


def _one_order(_now: datetime) -> Iterator[Rule]:
    fits = Q(state=StockState.RESERVED, order_item__order__status=OrderStatus.PENDING) | Q(
        state=StockState.SOLD, order_item__order__status=OrderStatus.PAID
    )
    foreign = ~Q(product=F("order_item__product"))
    held = StockItem.objects.filter(~fits | foreign, state__in=HELD).order_by("pk")
    yield Rule(
        held.values_list("pk", "state", "order_item_id"),
        lambda row: f"{short_stock_id(row[0])} is {row[1]} for order item {row[2]}",
    )
    live = OrderItem.objects.filter(order__status__in=LIVE).order_by("pk")
    units = live.filter(product__kind=ProductKind.UNIQUE).annotate(found=Count("stock_items"))
    yield Rule(
        units.exclude(found=F("quantity")).values_list("pk", "found", "quantity"),
        lambda row: f"order item {row[0]} has {row[1]} of {row[2]} items",
    )
    copies = live.exclude(product__kind=ProductKind.UNIQUE)
    wrong = Q(shared_item=None) | ~Q(shared_item__product=F("product"))
    yield Rule(
        copies.filter(wrong).values_list("pk", flat=True),
        lambda key: f"order item {key} has no copy of its product",
    )


def _adds_up(_now: datetime) -> Iterator[Rule]:
    counted = _counted_products()
    yield Rule(
        counted.exclude(found=F("imported")),
        lambda product: (
            f"{product}: {product.available} available + {product.reserved} reserved"
            f" + {product.sold} sold + {product.withdrawn} withdrawn,"
            f" {product.imported} imported"
        ),
    )
    batches = StockBatch.objects.annotate(found=Count("items")).order_by("pk")
    yield Rule(
        batches.exclude(found=F("imported_count")),
        lambda batch: f"{batch} has {batch.found} of {batch.imported_count} items",
    )
    strays = StockItem.objects.exclude(product=F("batch__product")).order_by("pk")
    yield Rule(
        strays.values_list("pk", flat=True),
        lambda key: f"{short_stock_id(key)} is of another product than its batch",
    )
    limited = Product.objects.exclude(quota=None).annotate(copies=_sold_copies())
    yield Rule(
        limited.filter(copies__gt=F("quota")).order_by("pk"),
        lambda product: f"{product} sold {product.copies} of {product.quota} copies",
    )


def _counted_products() -> QuerySet[Any]:
    batches = StockBatch.objects.filter(product=OuterRef("pk")).order_by().values("product")
    imported = Subquery(batches.annotate(total=Sum("imported_count")).values("total"))
    products = Product.objects.annotate(
        found=_items(StockItem.objects.all()),
        imported=Coalesce(imported, 0),
        available=_items(StockItem.objects.filter(state=StockState.AVAILABLE)),
        reserved=_items(StockItem.objects.filter(state=StockState.RESERVED)),
        sold=_items(StockItem.objects.filter(state=StockState.SOLD)),
        withdrawn=_items(StockItem.objects.filter(state=StockState.WITHDRAWN)),
    )
    return products.order_by("pk")


def _items(items: QuerySet[StockItem]) -> Coalesce:
    """Count a product's items apart: a join would repeat its batches for each of them."""
    rows = items.filter(product=OuterRef("pk")).order_by().values("product")
    return Coalesce(Subquery(rows.annotate(number=Count("pk")).values("number")), 0)


def _sold_copies() -> Coalesce:
    live = OrderItem.objects.filter(
        product=OuterRef("pk"), order__status__in=LIVE, shared_item__isnull=False
    )
    rows = live.order_by().values("product").annotate(units=Sum("quantity"))
    return Coalesce(Subquery(rows.values("units")), 0)


STOCK = (
    Invariant(
        "I1",
        "a stock item is in at most one live order, and no order holds too few",
        lambda: StockItem.objects.filter(state__in=HELD).count(),
        ByRules(_one_order),
    ),
    Invariant(
        "I2",
        "available + reserved + sold + withdrawn = imported, per product",
        StockItem.objects.count,
        ByRules(_adds_up),
    ),
)
