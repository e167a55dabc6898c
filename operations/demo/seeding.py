"""Makes the demo store: all of it or nothing, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.db import transaction

from accounts.models import Customer, LedgerEntry
from catalog.models import Category, Product, StockItem
from operations.demo.assortment import make_assortment
from operations.demo.history import KEY_PREFIX, carry_out, top_up_to
from operations.demo.people import Buyer, demo_buyers, make_staff, register_buyer
from operations.demo.plan import Purchase, opening_time, plan_history
from operations.demo.vouchers import make_vouchers
from orders.models import Order, Voucher


@dataclass(frozen=True)
class StoreSize:
    categories: int
    products: int
    items: int
    vouchers: int
    customers: int
    orders: int


def is_seeded() -> bool:
    return LedgerEntry.objects.filter(idempotency_key__startswith=KEY_PREFIX).exists()


def measure_store() -> StoreSize:
    return StoreSize(
        categories=Category.objects.count(),
        products=Product.objects.count(),
        items=StockItem.objects.count(),
        vouchers=Voucher.objects.count(),
        customers=Customer.objects.count(),
        orders=Order.objects.count(),
    )


@transaction.atomic
def seed_store(*, seed: int, now: datetime) -> StoreSize:
    """Fill an empty store with a demo that the seed decides, relative to `now`."""
    rng = Random(seed)  # noqa: S311 (a demo must be repeatable, not secret)
    opened_at = opening_time(now)
    buyers = demo_buyers()
    make_staff()
    products = make_assortment(rng=rng, now=opened_at)
    make_vouchers(opened_at=opened_at, now=now)
    purchases = plan_history(buyers=buyers, rng=rng, now=now)
    _register(buyers, purchases, opened_at)
    carry_out(purchases, products)
    for buyer in buyers:
        top_up_to(buyer=buyer, now=now)
    _forget_wake_ups()
    return measure_store()


def _register(buyers: Sequence[Buyer], purchases: Sequence[Purchase], opened_at: datetime) -> None:
    """Let the customers of the history come shortly before their first purchase."""
    first = {purchase.customer_id: purchase.at for purchase in reversed(purchases)}
    for buyer in buyers:
        arrived_at = first.get(buyer.id, opened_at) - timedelta(minutes=15)
        register_buyer(buyer=buyer, now=arrived_at)


def _forget_wake_ups() -> None:
    """Wake no job after the commit: the services asked for hundreds, and all is done already."""
    transaction.get_connection().run_on_commit.clear()
