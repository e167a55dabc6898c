"""What would be given back for units of an order, and how the figure comes about.

Units of an order item are refunded one after another: a quote is for the next ones, so that the
voucher's shares of all units add up to its discount, and none is given back twice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

from django.db.models import Count, F, Q, Sum

from catalog.models import StockState
from core.money import ZERO
from orders.errors import OrderNotFound, RefundRefusal, RefundRefused
from orders.models import Order, OrderItem, OrderStatus, RefundPolicy
from orders.refund_terms import RefundTerms

DAY = timedelta(days=1)
WHOLE = Decimal(1)


@dataclass(frozen=True)
class RefundRequest:
    """What a button carries: the units a quote was for and the amount it showed, never trusted."""

    order_item_id: int
    first_unit: int
    units: int
    amount: Decimal

    @property
    def key(self) -> str:
        """The quote's own: confirming it twice finds the same refund."""
        return f"{self.order_item_id}:{self.first_unit}:{self.units}"


@dataclass(frozen=True)
class RefundQuote:
    """A refund as it would be now; `amount` 0 when the period is over.

    `price` is what was paid: the units' list price less their share of the voucher, without the
    gateway's fee. Goods that never arrived have used no day: all of it is given back.
    """

    order: Order
    order_item: OrderItem
    first_unit: int
    units: int
    price: Decimal
    is_delivered: bool
    days_used: int
    claims: int
    policy: RefundPolicy | None
    terms: RefundTerms

    @property
    def list_price(self) -> Decimal:
        return Decimal(self.order_item.unit_price * self.units)

    @property
    def voucher_share(self) -> Decimal:
        return self.list_price - self.price

    @property
    def days_left(self) -> int:
        return self.terms.days_left(self.days_used)

    @property
    def multiplier(self) -> Decimal:
        if not self.is_delivered:
            return WHOLE
        return self.terms.multiplier(days_used=self.days_used, claims=self.claims)

    @property
    def amount(self) -> Decimal:
        if not self.is_delivered:
            return self.price
        return self.terms.amount(price=self.price, days_used=self.days_used, claims=self.claims)

    @property
    def request(self) -> RefundRequest:
        return RefundRequest(self.order_item.pk, self.first_unit, self.units, self.amount)


def refund_policy() -> tuple[RefundPolicy | None, RefundTerms]:
    """Return the formula in force; without a policy the one the shop comes with."""
    policy = RefundPolicy.objects.order_by("-pk").first()
    return policy, policy.terms if policy else RefundTerms()


def quote_refund(*, order_item_id: int, now: datetime, units: int | None = None) -> RefundQuote:
    """Quote the next `units` of an order item, or all that are left.

    Of goods that never arrived it is always all: they are withheld then. Raises OrderNotFound,
    or RefundRefused with NOT_PAID, FREE, ALL_REFUNDED or TOO_MANY_UNITS.
    """
    item = OrderItem.objects.select_related("order").filter(pk=order_item_id).first()
    if item is None:
        raise OrderNotFound(str(order_item_id))
    order = item.order
    if order.status != OrderStatus.PAID:
        raise RefundRefused(RefundRefusal.NOT_PAID)
    if order.total_bill == ZERO:
        raise RefundRefused(RefundRefusal.FREE)
    first = refunded_units(item)
    is_delivered = order.delivered_at is not None
    chosen = _choose_units(item.quantity - first, units if is_delivered else None)
    prices = unit_prices(order=order)[item.pk]
    policy, terms = refund_policy()
    return RefundQuote(
        order=order,
        order_item=item,
        first_unit=first,
        units=chosen,
        price=sum(prices[first : first + chosen], ZERO),
        is_delivered=is_delivered,
        days_used=days_used(order=order, now=now),
        claims=count_claims(order=order),
        policy=policy,
        terms=terms,
    )


def quote_order(*, order_id: int, now: datetime) -> list[RefundQuote]:
    """Quote all that is left of each item of an order; raise what quote_refund raises."""
    items = list(OrderItem.objects.filter(order=order_id).order_by("pk"))
    if not items:
        raise OrderNotFound(str(order_id))
    left = [item for item in items if refunded_units(item) < item.quantity] or items
    return [quote_refund(order_item_id=item.pk, now=now) for item in left]


def _choose_units(left: int, units: int | None) -> int:
    if left <= 0:
        raise RefundRefused(RefundRefusal.ALL_REFUNDED)
    if units is None:
        return left
    if not 1 <= units <= left:
        raise RefundRefused(RefundRefusal.TOO_MANY_UNITS, units_left=left)
    return units


def refunded_units(item: OrderItem) -> int:
    return int(item.refunds.aggregate(units=Sum("units", default=0))["units"])


def has_units_left(*, order: Order) -> bool:
    """Return whether something of what was paid was not refunded yet."""
    if order.status != OrderStatus.PAID or order.total_bill == ZERO:
        return False
    bought = order.items.aggregate(units=Sum("quantity", default=0))["units"]
    given = order.refunds.aggregate(units=Sum("units", default=0))["units"]
    return bool(given < bought)


def days_used(*, order: Order, now: datetime) -> int:
    """Return the whole 24 hours since delivery."""
    if order.delivered_at is None:
        return 0
    return max((now - order.delivered_at) // DAY, 0)


def count_claims(*, order: Order) -> int:
    """Return how many items were replaced: a replaced one stays sold, beside what took its place.

    So what is sold beyond the quantity of an order item is replacements.
    """
    sold = Count("stock_items", filter=Q(stock_items__state=StockState.SOLD))
    items = order.items.annotate(sold=sold).filter(sold__gt=F("quantity"))
    return sum(item.sold - item.quantity for item in items)


def unit_prices(*, order: Order) -> dict[int, list[Decimal]]:
    """Return by order item what was paid for each of its units; all add up to the total bill."""
    items = list(order.items.order_by("pk"))
    listed = [item.unit_price for item in items for _unit in range(item.quantity)]
    shares = iter(voucher_shares(prices=listed, discount=order.voucher_discount))
    return {
        item.pk: [item.unit_price - next(shares) for _unit in range(item.quantity)]
        for item in items
    }


def voucher_shares(*, prices: list[Decimal], discount: Decimal) -> list[Decimal]:
    """Split a discount by price into whole rupiah that add up to it exactly.

    Each share is rounded down; what is missing then goes, a rupiah each, to the largest
    remainders, the first of equal ones first. No share exceeds its price.
    """
    subtotal = sum(prices, ZERO)
    if not subtotal:
        return [ZERO] * len(prices)
    exact = [divmod(price * discount, subtotal) for price in prices]
    shares = [whole.to_integral_value(ROUND_FLOOR) for whole, _rest in exact]
    missing = int(discount - sum(shares, ZERO))
    by_remainder = sorted(range(len(prices)), key=lambda n: -exact[n][1])
    for position in by_remainder[:missing]:
        shares[position] += 1
    return shares
