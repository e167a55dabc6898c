"""Counts of stock as people see them."""

import logging
from functools import partial

from django.conf import settings
from django.core.cache import cache
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


def count_stock() -> StockCounts:
    """Count in the database what `stock_counts` caches."""
    rows = (
        StockItem.objects.available().order_by().values_list("product").annotate(items=Count("pk"))
    )
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
