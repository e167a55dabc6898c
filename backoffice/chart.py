"""The dashboard's chart: a bar of revenue per day, the number of orders as points on a line."""

from typing import Any

from backoffice import selectors

GREY = "#9ca3af"
REVENUE = "var(--color-primary-500)"
UNFINISHED = "var(--color-primary-300)"
ORDERS = "#f59e0b"
AXIS = {
    "beginAtZero": True,
    "border": {"display": False},
    "ticks": {"color": GREY, "precision": 0, "maxTicksLimit": 6},
}
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
        "y": {**AXIS, "grid": {"drawTicks": False, "color": "rgba(156, 163, 175, 0.25)"}},
        "orders": {**AXIS, "position": "right", "grid": {"display": False}},
    },
}


def sales_chart(sales: selectors.Sales) -> dict[str, Any]:
    """Return the data as Chart.js wants it. Today is paler: it is not over yet."""
    labels = [f"{day.date:%-d %b}" for day in sales.days]
    orders: list[int | None] = [day.orders for day in sales.days]
    if not sales.today.orders:
        orders[-1] = None  # a day without orders so far is no day without orders
    return {
        "labels": [*labels[:-1], f"{labels[-1]}, so far"],
        "datasets": [
            {
                "type": "line",
                "label": "Orders paid",
                "data": orders,
                "borderColor": ORDERS,
                "backgroundColor": ORDERS,
                "borderWidth": 1.5,
                "pointRadius": 2.5,
                "pointHitRadius": 12,
                "tension": 0,
                "yAxisID": "orders",
                "order": 0,
            },
            {
                "type": "bar",
                "label": "Revenue (Rp)",
                "data": [int(day.revenue) for day in sales.days],
                "backgroundColor": [*[REVENUE] * (len(sales.days) - 1), UNFINISHED],
                "borderRadius": 3,
                "maxBarThickness": 28,
                "yAxisID": "y",
                "order": 1,
            },
        ],
    }
