"""What the dashboard shows, each part in a query or two."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, F, Max, Min, Q, Sum
from django.db.models.functions import TruncDate

from accounts.models import Customer, StaffChat
from catalog.models import Product
from catalog.selectors import count_stock
from core.clock import local_date
from core.models import OutboxMessage, OutboxState
from core.money import ZERO
from orders.models import Order, OrderItem, OrderStatus
from payments.models import Case, Payment
from payments.services.health import gateway_is_down

PARKED_AFTER = 3
"""A message tried as often and still not sent is one to look at."""
KEEPS_FAILING = Q(state=OutboxState.PENDING) & (
    Q(attempts__gte=PARKED_AFTER) | Q(alerted_at__isnull=False)
)


@dataclass(frozen=True)
class Period:
    """Whole days by the store's clock, today the last of them, and as many days before."""

    days: int
    today: date

    @property
    def first(self) -> date:
        return self.today - timedelta(days=self.days - 1)

    @property
    def first_before(self) -> date:
        return self.first - timedelta(days=self.days)

    @property
    def dates(self) -> list[date]:
        return [self.first + timedelta(days=day) for day in range(self.days)]

    @property
    def starts_at(self) -> datetime:
        return _midnight(self.first)

    @property
    def before_starts_at(self) -> datetime:
        return _midnight(self.first_before)


@dataclass(frozen=True)
class Day:
    date: date
    revenue: Decimal = ZERO
    orders: int = 0


@dataclass(frozen=True)
class Sales:
    """Paid orders per day of a period, and the sums of the days before it."""

    days: list[Day]
    before: Day

    @property
    def revenue(self) -> Decimal:
        return sum((day.revenue for day in self.days), ZERO)

    @property
    def orders(self) -> int:
        return sum(day.orders for day in self.days)

    @property
    def today(self) -> Day:
        return self.days[-1]


@dataclass(frozen=True)
class Pair:
    """A number of the period and the same of the period before."""

    now: int
    before: int


@dataclass(frozen=True)
class Conversion:
    placed: Pair
    paid: Pair

    @property
    def percent(self) -> int | None:
        return _percent(self.paid.now, self.placed.now)

    @property
    def percent_before(self) -> int | None:
        return _percent(self.paid.before, self.placed.before)


@dataclass(frozen=True)
class BestProduct:
    product_id: int
    name: str
    units: int
    revenue: Decimal


@dataclass(frozen=True)
class LowStock:
    product: Product
    left: int


@dataclass(frozen=True)
class OpenPayments:
    count: int
    amount: Decimal
    oldest_at: datetime | None


@dataclass(frozen=True)
class Attention:
    """What needs a person; all zero and False when nothing does."""

    open_cases: int
    failed_messages: int
    parked_messages: int
    unapplied_payments: int
    lost_groups: int
    is_gateway_down: bool

    @property
    def is_needed(self) -> bool:
        counts = self.open_cases + self.failed_messages + self.parked_messages
        counts += self.unapplied_payments + self.lost_groups
        return bool(counts or self.is_gateway_down)


def period_of(days: int, now: datetime) -> Period:
    return Period(days, local_date(now))


def sales(period: Period) -> Sales:
    zone = ZoneInfo(settings.STORE_TIMEZONE)
    rows = (
        Order.objects.paid()
        .filter(paid_at__gte=period.before_starts_at)
        .annotate(day=TruncDate("paid_at", tzinfo=zone))
        .order_by()
        .values_list("day")
        .annotate(Sum("total_bill"), Count("pk"))
    )
    by_date = {day: Day(day, revenue, orders) for day, revenue, orders in rows}
    earlier = [day for date_, day in by_date.items() if date_ < period.first]
    before = Day(
        period.first_before,
        sum((day.revenue for day in earlier), ZERO),
        sum(day.orders for day in earlier),
    )
    return Sales([by_date.get(day, Day(day)) for day in period.dates], before)


def conversion(period: Period) -> Conversion:
    """Count orders by the day they were placed: one of yesterday paid today counts yesterday."""
    recent = Q(placed_at__gte=period.starts_at)
    paid = Q(status=OrderStatus.PAID)
    found = Order.objects.filter(placed_at__gte=period.before_starts_at).aggregate(
        placed=Count("pk", filter=recent),
        placed_before=Count("pk", filter=~recent),
        paid=Count("pk", filter=recent & paid),
        paid_before=Count("pk", filter=~recent & paid),
    )
    return Conversion(
        placed=Pair(found["placed"], found["placed_before"]),
        paid=Pair(found["paid"], found["paid_before"]),
    )


def new_customers(period: Period) -> Pair:
    recent = Q(created_at__gte=period.starts_at)
    found = Customer.objects.filter(created_at__gte=period.before_starts_at).aggregate(
        now=Count("pk", filter=recent), before=Count("pk", filter=~recent)
    )
    return Pair(found["now"], found["before"])


def best_products(period: Period, limit: int = 5) -> list[BestProduct]:
    rows = (
        OrderItem.objects.filter(
            order__status=OrderStatus.PAID, order__paid_at__gte=period.starts_at
        )
        .values_list("product", "product__name")
        .annotate(units=Sum("quantity"), revenue=Sum(F("quantity") * F("unit_price")))
        .order_by("-revenue", "product")
    )
    return [BestProduct(*row) for row in rows[:limit]]


def low_stock(limit: int = 8) -> tuple[list[LowStock], int]:
    """Return the products on sale at or below their threshold, emptiest first, and how many."""
    counts = count_stock()
    found = [
        LowStock(product, left)
        for product, left in _left(Product.objects.on_sale().order_by("number"), counts)
        if left == 0 or left <= product.low_stock_threshold
    ]
    found.sort(key=lambda low: low.left)
    return found[:limit], len(found)


def _left(products: Iterable[Product], counts: dict[int, int | None]) -> list[tuple[Product, int]]:
    pairs = [(product, counts.get(product.pk, 0)) for product in products]
    return [(product, left) for product, left in pairs if left is not None]


def open_payments() -> OpenPayments:
    found = Payment.objects.open().aggregate(Count("pk"), Sum("amount"), Min("created_at"))
    return OpenPayments(found["pk__count"], found["amount__sum"] or ZERO, found["created_at__min"])


def attention(now: datetime) -> Attention:
    failed = Q(state=OutboxState.FAILED)
    messages = OutboxMessage.objects.filter(KEEPS_FAILING | failed).aggregate(
        failed=Count("pk", filter=failed), parked=Count("pk", filter=KEEPS_FAILING)
    )
    return Attention(
        open_cases=Case.objects.filter(closed_at=None).count(),
        failed_messages=messages["failed"],
        parked_messages=messages["parked"],
        unapplied_payments=Payment.objects.unapplied().count(),
        lost_groups=len(lost_groups()),
        is_gateway_down=gateway_is_down(now=now),
    )


def lost_groups() -> set[int]:
    """Return the chat ids of staff groups whose newest message was refused: the bot is out."""
    groups = StaffChat.objects.values("chat_id")
    refused = OutboxMessage.objects.filter(recipient__in=groups, state=OutboxState.BLOCKED)
    newest = dict(refused.order_by().values_list("recipient").annotate(Max("pk")))
    since = OutboxMessage.objects.filter(
        recipient__in=newest, state=OutboxState.SENT, pk__gt=min(newest.values(), default=0)
    )
    heard = dict(since.order_by().values_list("recipient").annotate(Max("pk")))
    return {chat for chat, key in newest.items() if chat and heard.get(chat, 0) < key}


def latest_orders(limit: int = 8) -> list[Order]:
    rows = Order.objects.select_related("customer").prefetch_related("items")
    return list(rows.order_by("-pk")[:limit])


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(settings.STORE_TIMEZONE))


def _percent(part: int, whole: int) -> int | None:
    return round(100 * part / whole) if whole else None
