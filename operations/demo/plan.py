"""Who bought what and when: drawn from a seed, relative to the present."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from random import Random

from core.clock import local_time
from operations.demo.definitions import DemoProduct
from operations.demo.people import Buyer
from operations.demo.products import PRODUCTS, SOLD_OUT

DAYS = 60
"""Length of the history, which ends yesterday."""
NO_QRIS_BELOW = 500


class Fate(Enum):
    PAID = auto()
    CANCELLED = auto()
    EXPIRED = auto()


@dataclass(frozen=True)
class Purchase:
    """One visit to the checkout; `at` is unique, so it names the purchase too."""

    customer_id: int
    number: int
    quantity: int
    at: datetime
    fate: Fate = Fate.PAID
    has_voucher: bool = False


def opening_time(now: datetime) -> datetime:
    """When the store opened: before every purchase of the history."""
    return _midnight(now) - timedelta(days=DAYS + 1)


def plan_history(*, buyers: Sequence[Buyer], rng: Random, now: datetime) -> list[Purchase]:
    """Draw the purchases, oldest first."""
    visits = [buyer for buyer in buyers for _ in range(buyer.orders)]
    rng.shuffle(visits)
    units = _sold_out_units()
    moments = _moments(rng, len(visits) + len(units), now)
    last = moments[-len(units) :]
    fans = rng.sample([buyer for buyer in buyers if buyer.role == "customer"], len(units))
    plan = [_visit(rng, buyer, at) for buyer, at in zip(visits, moments, strict=False)]
    plan += [
        Purchase(buyer.id, SOLD_OUT, quantity, at)
        for buyer, quantity, at in zip(fans, units, last, strict=True)
    ]
    return plan


def _sold_out_units() -> list[int]:
    """Split the whole stock of the product that sells out into a few orders."""
    stock = next(product.stock for product in PRODUCTS if product.number == SOLD_OUT)
    return [stock - 2 * (stock // 3), stock // 3, stock // 3]


def _visit(rng: Random, buyer: Buyer, at: datetime) -> Purchase:
    product = _choose(rng)
    fates = (Fate.PAID, Fate.CANCELLED, Fate.EXPIRED)
    fate = rng.choices(fates, weights=(86, 6, 8))[0]
    return Purchase(
        customer_id=buyer.id,
        number=product.number,
        quantity=rng.randint(1, buyer.most_units) if product.make else 1,
        at=at,
        fate=Fate.PAID if product.price < NO_QRIS_BELOW else fate,
        # The personas' vouchers are left for whoever plays them.
        has_voucher=not buyer.balance and rng.random() < 0.35,
    )


def _choose(rng: Random) -> DemoProduct:
    sold = [product for product in PRODUCTS if product.number != SOLD_OUT]
    return rng.choices(sold, weights=[product.popularity for product in sold])[0]


def _moments(rng: Random, count: int, now: datetime) -> list[datetime]:
    """Return different minutes, more of them lately, most of them in the evening."""
    midnight = _midnight(now)
    found: set[datetime] = set()
    while len(found) < count:
        day = 1 + int(DAYS * rng.random() ** 1.4)
        minute = int(rng.triangular(7 * 60, 23 * 60 + 30, 20 * 60))
        found.add(midnight - timedelta(days=day) + timedelta(minutes=minute))
    return sorted(found)


def _midnight(now: datetime) -> datetime:
    return local_time(now).replace(hour=0, minute=0, second=0, microsecond=0)
