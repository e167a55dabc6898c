"""Counts of stock as people see them."""

import itertools
import logging
from collections.abc import Collection
from functools import partial

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Count, Q, Sum
from redis.exceptions import RedisError

from catalog.models import Product, ProductKind, StockItem

logger = logging.getLogger(__name__)
CACHE_KEY = "stock-counts"

StockCounts = dict[int, int | None]


def stock_counts() -> StockCounts:
    """Return per product key how many can be bought: None is no limit, a missing key is none.

    At most COUNTS_CACHE_SECONDS old. For people only: no decision may use it.
    """
    if not settings.COUNTS_CACHE_SECONDS:
        return count_stock()
    try:
        return (
            cache.get_or_set(CACHE_KEY, partial(count_stock), settings.COUNTS_CACHE_SECONDS) or {}
        )
    except (RedisError, OSError):
        logger.warning("no cache: stock is counted for every screen")
        return count_stock()


def forget_stock_counts() -> None:
    """Let the next screen count anew once the caller's change is committed.

    A cache that is away costs nobody the change: what it holds is old after seconds anyway.
    """
    if settings.COUNTS_CACHE_SECONDS:
        transaction.on_commit(_delete_cached_counts, robust=True)


def _delete_cached_counts() -> None:
    try:
        cache.delete(CACHE_KEY)
    except (RedisError, OSError):
        logger.warning("no cache: stock counts may be seconds old")


def count_stock(product_ids: Collection[int] | None = None) -> StockCounts:
    """Count in the database what `stock_counts` caches, for all products or for these."""
    items = StockItem.objects.available().order_by()
    if product_ids is not None:
        items = items.filter(product__in=product_ids)
    rows = items.values_list("product").annotate(items=Count("pk"))
    counts: StockCounts = dict(rows)
    return counts | {key: left for key, left in _copies_left(set(counts)) if key in counts}


def _copies_left(with_content: set[int]) -> list[tuple[int, int | None]]:
    live = Q(
        order_items__order__status__in=["pending", "paid"],
        order_items__shared_item__isnull=False,
    )
    rows = (
        Product.objects.filter(pk__in=with_content)
        .exclude(kind=ProductKind.UNIQUE)
        .annotate(taken=Sum("order_items__quantity", filter=live, default=0))
        .values_list("pk", "quota", "taken")
    )
    return [(pk, None if quota is None else max(quota - taken, 0)) for pk, quota, taken in rows]


def smallest_free_number() -> int:
    """Return the smallest number that no product has, but for those taken off sale."""
    taken = set(Product.objects.existing().values_list("number", flat=True))
    return next(number for number in itertools.count(1) if number not in taken)
