"""The first page: how the shop does, and what needs a person."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.models import StaffChat
from backoffice import selectors
from backoffice.admin.base import filtered_by
from backoffice.chart import CHART_OPTIONS, sales_chart
from backoffice.display import badge, link_to, moment, money, state_badge
from backoffice.panels import Panel
from catalog.models import Product
from core.models import OutboxMessage
from orders.models import Order
from payments.models import Case, Payment

PERIODS = (7, 30, 60)
USUAL = 30


@dataclass(frozen=True)
class Card:
    """A number with what it means; `change`, and `beside` it what that is measured against."""

    title: str
    value: str
    note: str = ""
    change: str = ""
    beside: str = ""
    tone: str = "quiet"


@dataclass(frozen=True)
class Task:
    text: str
    url: str
    tone: str = "bad"


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what this member of staff may see."""
    now = timezone.now()
    period = selectors.period_of(_days(request), now)
    context |= {
        "title": "Dashboard",
        "periods": [
            {"title": f"{days} days", "link": f"?days={days}", "active": days == period.days}
            for days in PERIODS
        ],
        "cards": [],
        "panels": [],
        "tasks": _tasks(request, selectors.attention(now)),
    }
    if request.user.has_perm("orders.view_order"):
        _add_sales(context, period)
    if request.user.has_perm("catalog.view_product"):
        _add_catalogue(context)
    return context


def _days(request: HttpRequest) -> int:
    days = request.GET.get("days", "")
    return int(days) if days in {str(each) for each in PERIODS} else USUAL


def _tasks(request: HttpRequest, found: selectors.Attention) -> list[Task]:
    """Say what needs a person, each with the page that shows it."""
    tasks = (
        (
            "payments.view_payment",
            found.is_gateway_down,
            "The payment gateway does not answer: customers cannot pay by QRIS just now.",
            filtered_by(Payment, status__exact="creating"),
        ),
        (
            "payments.view_case",
            found.open_cases,
            f"{_count(found.open_cases, 'open case')} to look at",
            filtered_by(Case, closed_at__isempty=1),
        ),
        (
            "payments.view_payment",
            found.unapplied_payments,
            f"{_count(found.unapplied_payments, 'payment')} received, effect still to come",
            filtered_by(Payment, status__exact="completed"),
        ),
        (
            "core.view_outboxmessage",
            found.failed_messages,
            f"{_count(found.failed_messages, 'message')} could not be delivered",
            filtered_by(OutboxMessage, stuck="failed"),
        ),
        (
            "accounts.view_staffchat",
            found.lost_groups,
            f"The bot can no longer write to {_count(found.lost_groups, 'staff group')}",
            filtered_by(StaffChat),
        ),
        (
            "core.view_outboxmessage",
            found.parked_messages,
            f"{_count(found.parked_messages, 'message')} tried several times, not sent yet",
            filtered_by(OutboxMessage, stuck="failing"),
        ),
    )
    return [
        Task(text, url)
        for permission, needed, text, url in tasks
        if needed and request.user.has_perm(permission)
    ]


def _add_sales(context: dict[str, Any], period: selectors.Period) -> None:
    sales = selectors.sales(period)
    context["cards"] = _cards(period, sales)
    context["chart"] = json.dumps(sales_chart(sales))
    context["chart_options"] = json.dumps(CHART_OPTIONS)
    context["has_sales"] = bool(sales.orders)
    context["panels"] += [_best(selectors.best_products(period)), _latest()]


def _cards(period: selectors.Period, sales: selectors.Sales) -> list[Card]:
    converted = selectors.conversion(period)
    customers = selectors.new_customers(period)
    paid = _count(sales.today.orders, "paid order") if sales.today.orders else "no paid order yet"
    percent = converted.percent
    return [
        Card("Revenue today", money(sales.today.revenue), paid),
        Card(
            f"Revenue, {period.days} days",
            money(sales.revenue),
            "paid orders, without the gateway's fee",
            *_change(period, sales.revenue, sales.before.revenue),
        ),
        Card(
            "Orders paid",
            f"{sales.orders:,}",
            f"in {period.days} days",
            *_change(period, sales.orders, sales.before.orders),
        ),
        Card(
            "Orders that got paid",
            "–" if percent is None else f"{percent} %",
            f"{converted.paid.now:,} of {converted.placed.now:,} placed",
            *_share_before(period, percent, converted.percent_before),
        ),
        Card(
            "New customers",
            f"{customers.now:,}",
            f"in {period.days} days",
            *_change(period, customers.now, customers.before),
        ),
        _open_payments(selectors.open_payments()),
    ]


def _open_payments(waiting: selectors.OpenPayments) -> Card:
    note = "nobody is paying just now"
    if waiting.count:
        note = f"{money(waiting.amount)} awaited, the oldest since {moment(waiting.oldest_at)}"
    return Card("Open payments", f"{waiting.count:,}", note)


def _change(
    period: selectors.Period, now: Decimal | int, before: Decimal | int
) -> tuple[str, str, str]:
    """Compare with the period before, in percent; a period before without any says nothing."""
    if not before:
        return "", "", "quiet"
    percent = round(100 * (now - before) / before)
    before_it = f"in the {period.days} days before"
    if percent == 0:
        return "the same", f"as {before_it}", "quiet"
    more_or_less = "more" if percent > 0 else "less"
    return f"{abs(percent)} % {more_or_less}", f"than {before_it}", _tone(percent)


def _share_before(
    period: selectors.Period, now: int | None, before: int | None
) -> tuple[str, str, str]:
    if now is None or before is None:
        return "", "", "quiet"
    return f"{before} %", f"in the {period.days} days before", _tone(now - before)


def _tone(change: int) -> str:
    return "good" if change > 0 else "bad" if change < 0 else "quiet"


def _best(products: list[selectors.BestProduct]) -> Panel:
    def link(product: selectors.BestProduct) -> Any:
        return link_to(Product(pk=product.product_id), product.name)

    return Panel(
        title="Best products",
        headers=("Product", "Sold", "Revenue"),
        rows=[(link(each), each.units, money(each.revenue)) for each in products],
        empty="Nothing was sold in this time.",
    )


def _latest() -> Panel:
    return Panel(
        title="Latest orders",
        headers=("Invoice", "Customer", "Bought", "Total", "Status", "Placed"),
        rows=[
            (
                link_to(order),
                link_to(order.customer, order.customer.name),
                ", ".join(str(item) for item in order.items.all()),
                money(order.total_bill),
                state_badge(order.status, order.get_status_display()),
                moment(order.placed_at),
            )
            for order in selectors.latest_orders()
        ],
        empty="No orders yet. Customers order in the chat.",
        more_url=filtered_by(Order),
    )


def _add_catalogue(context: dict[str, Any]) -> None:
    low, count = selectors.low_stock()
    context["has_products"] = Product.objects.existing().exists()
    context["add_product_url"] = reverse("admin:catalog_product_add")
    context["panels"].insert(
        1,
        Panel(
            title=f"Low or sold out ({count})" if count else "Low or sold out",
            headers=("Product", "Left"),
            rows=[(link_to(each.product), _left(each.left)) for each in low],
            empty="Every product on sale has stock.",
        ),
    )


def _left(left: int) -> SafeString:
    return badge(f"{left} left", "wait") if left else badge("Sold out", "bad")


def _count(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number:,} {what}s"
