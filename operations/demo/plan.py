"""Who bought what and when: drawn from a seed, relative to the present."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from random import Random

from core.clock import local_time
from operations.demo.definitions import DemoProduct
from operations.demo.names import BANNED, BLOCKED_THE_BOT
from operations.demo.people import Buyer
from operations.demo.products import LOW, PRODUCTS, SOLD_OUT
from operations.demo.vouchers import CODES, OPENING

DAYS = 60
"""Length of the history, which ends today."""
QUIET = timedelta(minutes=30)
"""Nothing begins so shortly before the present: every order has ended by then."""
ORDERS_A_DAY = 5.0
"""In the end, on an average day of the week."""
WEEK = (0.8, 0.75, 0.85, 0.95, 1.2, 1.35, 1.1)
"""How busy each day is, from Monday on."""
PAUSE = timedelta(hours=1)
"""Between two visits of one customer."""
RARE_BEFORE = timedelta(days=3)


class Fate(Enum):
    QRIS = auto()
    BALANCE = auto()
    EXPIRED = auto()
    CANCELLED = auto()
    LATE = auto()
    TWICE = auto()
    OTHER_AMOUNT = auto()


COMMON = {Fate.QRIS: 68, Fate.BALANCE: 16, Fate.EXPIRED: 9, Fate.CANCELLED: 7}
RARE = (*[Fate.LATE] * 5, *[Fate.TWICE] * 2, *[Fate.OTHER_AMOUNT] * 2)


@dataclass(frozen=True)
class Visit:
    """One visit to the checkout. `seconds`: how long the customer takes to pay, or to give up."""

    customer_id: int
    number: int
    at: datetime
    fate: Fate = Fate.QRIS
    quantity: int = 1
    seconds: int = 45
    voucher: str = ""
    """A code that is tried; empty: none."""
    loses_webhook: bool = False


@dataclass(frozen=True)
class Presence:
    """From when to when somebody is a customer who buys."""

    buyer: Buyer
    came_at: datetime
    left_at: datetime


def midnight(now: datetime, *, days_ago: int = 0) -> datetime:
    day = local_time(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=days_ago)


def opening_time(now: datetime) -> datetime:
    """When the store opened: before every purchase of the history."""
    return midnight(now, days_ago=DAYS)


def plan_presences(*, buyers: Sequence[Buyer], rng: Random, now: datetime) -> list[Presence]:
    """Draw when customers come, a few more every week; two of them do not stay."""
    leaving = {
        BANNED: midnight(now, days_ago=9) + timedelta(hours=20),
        BLOCKED_THE_BOT: midnight(now, days_ago=5) + timedelta(hours=10),
    }
    presences = []
    for buyer in buyers:
        left_at = leaving.get(buyer.profile.username, now)
        days_ago = int(DAYS * rng.random() ** 1.2)
        if left_at < now:
            days_ago = max(days_ago, DAYS // 2)
        came_at = _moment(rng, midnight(now, days_ago=days_ago))
        presences.append(Presence(buyer, min(came_at, now - timedelta(hours=1)), left_at))
    return presences


def plan_visits(*, presences: Sequence[Presence], rng: Random, now: datetime) -> list[Visit]:
    """Draw the visits to the checkout, oldest first."""
    busy_until: dict[int, datetime] = {}
    visits = []
    for at in _moments(rng, now):
        buyers = [each.buyer for each in presences if _may_come(each, at, busy_until)]
        if not any(buyer.visits for buyer in buyers):
            continue
        buyer = rng.choices(buyers, weights=[buyer.visits for buyer in buyers])[0]
        busy_until[buyer.id] = at + PAUSE
        visits.append(_visit(rng, buyer, at, now))
    return _make_some_rare(visits, rng, now)


def _may_come(presence: Presence, at: datetime, busy_until: Mapping[int, datetime]) -> bool:
    free_at = busy_until.get(presence.buyer.id, presence.came_at)
    return max(presence.came_at, free_at) < at < presence.left_at - PAUSE


def _moments(rng: Random, now: datetime) -> list[datetime]:
    moments = []
    for days_ago in range(DAYS, -1, -1):
        start = midnight(now, days_ago=days_ago)
        growth = 1 - 0.65 * days_ago / DAYS
        expected = ORDERS_A_DAY * growth * WEEK[start.weekday()] * rng.uniform(0.75, 1.25)
        moments += [_moment(rng, start) for _ in range(round(expected))]
    return sorted(at for at in moments if at < now - QUIET)


def _moment(rng: Random, start: datetime) -> datetime:
    """Draw a moment of a day: most in the evening, none in the dead of night."""
    hour = rng.triangular(16, 23.5, 19.5) if rng.random() < 0.6 else rng.triangular(7, 18, 12)
    return start + timedelta(seconds=int(hour * 3600))


def _visit(rng: Random, buyer: Buyer, at: datetime, now: datetime) -> Visit:
    product = _choose(rng, is_late=at > sold_out_time(now))
    fate = rng.choices(list(COMMON), weights=list(COMMON.values()))[0]
    most = buyer.most_units if product.make and product.number != SOLD_OUT else 1
    return Visit(
        customer_id=buyer.id,
        number=product.number,
        at=at,
        fate=Fate.QRIS if is_counted(product.number) else fate,
        quantity=rng.randint(1, most),
        seconds=rng.randint(20, 240),
        voucher=rng.choice(CODES) if rng.random() < 0.15 else "",
        loses_webhook=rng.random() < 0.1,
    )


def sold_out_time(now: datetime) -> datetime:
    return midnight(now, days_ago=4)


def is_counted(number: int) -> bool:
    """Return whether exactly its stock must be left, so that none of its orders ends unpaid."""
    return number == SOLD_OUT or number in LOW


def _choose(rng: Random, *, is_late: bool) -> DemoProduct:
    sold = [product for product in PRODUCTS if product.number != SOLD_OUT or not is_late]
    return rng.choices(sold, weights=[product.popularity for product in sold])[0]


def _make_some_rare(visits: list[Visit], rng: Random, now: datetime) -> list[Visit]:
    """Let a few of the older ordinary payments be of the kinds that seldom happen."""
    ordinary = [
        index
        for index, visit in enumerate(visits)
        if visit.fate == Fate.QRIS
        and visit.at < now - RARE_BEFORE
        and not is_counted(visit.number)
        and _price(visit.number) >= 10_000
    ]
    planned = [_with_opening_voucher(visit, now) for visit in visits]
    for index, fate in zip(rng.sample(ordinary, len(RARE)), RARE, strict=True):
        seconds = rng.randint(25 * 60, 4 * 3600) if fate == Fate.LATE else 90
        planned[index] = replace(planned[index], fate=fate, voucher="", seconds=seconds)
    return planned


def _with_opening_voucher(visit: Visit, now: datetime) -> Visit:
    """Let the first customers try the voucher of the opening, until it is used up."""
    is_early = visit.at < opening_time(now) + timedelta(days=21)
    if is_early and visit.fate == Fate.QRIS and _price(visit.number) >= 30_000:
        return replace(visit, voucher=OPENING)
    return visit


def _price(number: int) -> int:
    return next(product.price for product in PRODUCTS if product.number == number)


def delivery_times(now: datetime) -> list[datetime]:
    """When goods come in: at the opening, then every other week in the morning."""
    opened_at = opening_time(now)
    return [opened_at] + [
        opened_at + timedelta(days=days, hours=6) for days in range(14, DAYS - 3, 14)
    ]


def plan_demand(*, visits: Iterable[Visit], times: Sequence[datetime]) -> dict[int, list[int]]:
    """Count per product number what is taken after each delivery, until the next one."""
    demand = {product.number: [0] * len(times) for product in PRODUCTS}
    for visit in visits:
        portion = sum(time <= visit.at for time in times) - 1
        # The one who pays late for the last units gets none: they are the others'.
        if (visit.number, visit.fate) != (SOLD_OUT, Fate.LATE):
            demand[visit.number][portion] += visit.quantity
    return demand
