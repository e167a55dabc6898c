"""The first page: how the shop does, and what needs a person."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from backoffice import selectors
from backoffice.admin.base import filtered_by
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
    """A number with what it means; `change` compares with the period before."""

    title: str
    value: str
    note: str = ""
    change: str = ""
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
    outbox = {"state__exact": "pending", "attempts__gte": selectors.PARKED_AFTER}
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
            filtered_by(OutboxMessage, state__exact="failed"),
        ),
        (
            "core.view_outboxmessage",
            found.parked_messages,
            f"{_count(found.parked_messages, 'message')} tried several times, not sent yet",
            filtered_by(OutboxMessage, **outbox),
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
    context["chart"] = json.dumps(_chart(sales))
    context["chart_options"] = json.dumps(CHART_OPTIONS)
    context["has_sales"] = bool(sales.orders)
    context["panels"] += [_best(selectors.best_products(period)), _latest()]


def _cards(period: selectors.Period, sales: selectors.Sales) -> list[Card]:
    converted = selectors.conversion(period)
    customers = selectors.new_customers(period)
    waiting = selectors.open_payments()
    percent = converted.percent
    since = f", oldest of {moment(waiting.oldest_at)}" if waiting.oldest_at else ""
    return [
        Card(
            "Revenue today", money(sales.today.revenue), _count(sales.today.orders, "paid order")
        ),
        Card(
            f"Revenue, {period.days} days",
            money(sales.revenue),
            "paid orders, without the gateway's fee",
            *_change(sales.revenue, sales.before.revenue),
        ),
        Card(
            "Orders paid",
            f"{sales.orders:,}",
            f"in {period.days} days",
            *_change(sales.orders, sales.before.orders),
        ),
        Card(
            "Placed and paid",
            "–" if percent is None else f"{percent} %",
            f"{converted.paid.now:,} of {converted.placed.now:,} orders placed",
            *_points(percent, converted.percent_before),
        ),
        Card(
            "New customers",
            f"{customers.now:,}",
            f"in {period.days} days",
            *_change(customers.now, customers.before),
        ),
        Card("Open payments", f"{waiting.count:,}", f"{money(waiting.amount)}{since}"),
    ]


def _change(now: Decimal | int, before: Decimal | int) -> tuple[str, str]:
    """Compare with the period before, in percent; a period before without any says nothing."""
    if not before:
        return "", "quiet"
    percent = round(100 * (now - before) / before)
    return f"{percent:+d} %", _tone(percent)


def _points(now: int | None, before: int | None) -> tuple[str, str]:
    if now is None or before is None:
        return "", "quiet"
    return f"{now - before:+d} points", _tone(now - before)


def _tone(change: int) -> str:
    return "good" if change > 0 else "bad" if change < 0 else "quiet"


GREY = "#9ca3af"
AXIS = {"ticks": {"color": GREY, "precision": 0}, "border": {"display": False}}
CHART_OPTIONS = {
    "locale": "id-ID",
    "animation": False,
    "responsive": True,
    "maintainAspectRatio": False,
    "interaction": {"mode": "index", "intersect": False},
    "plugins": {
        "legend": {"position": "bottom", "labels": {"color": GREY, "boxWidth": 12}},
    },
    "scales": {
        "x": {
            "ticks": {"color": GREY, "maxTicksLimit": 8, "maxRotation": 0},
            "grid": {"display": False},
            "border": {"display": False},
        },
        "y": {**AXIS, "beginAtZero": True, "grid": {"drawTicks": False}},
        "orders": {
            **AXIS,
            "beginAtZero": True,
            "position": "right",
            "grid": {"display": False},
        },
    },
}


def _chart(sales: selectors.Sales) -> dict[str, Any]:
    return {
        "labels": [f"{day.date:%-d %b}" for day in sales.days],
        "datasets": [
            {
                "type": "line",
                "label": "Revenue (Rp)",
                "data": [int(day.revenue) for day in sales.days],
                "borderColor": "var(--color-primary-600)",
                "backgroundColor": "var(--color-primary-600)",
                "borderWidth": 2,
                "pointRadius": 0,
                "pointHitRadius": 12,
                "cubicInterpolationMode": "monotone",
                "yAxisID": "y",
                "order": 0,
            },
            {
                "type": "bar",
                "label": "Orders paid",
                "data": [day.orders for day in sales.days],
                "backgroundColor": "rgba(251, 191, 36, 0.55)",
                "borderRadius": 4,
                "maxBarThickness": 18,
                "yAxisID": "orders",
                "order": 1,
            },
        ],
    }


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
                order.customer.name,
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
