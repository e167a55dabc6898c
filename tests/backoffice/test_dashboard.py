"""The dashboard: its figures, what needs a person, an empty store, few queries."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice import selectors
from backoffice.chart import sales_chart
from backoffice.display import moment
from core.models import OutboxMessage, OutboxState
from orders.models import Order
from payments.models import Case, CaseKind, GatewaySilence
from tests.backoffice.pages import body
from tests.world import World

pytestmark = pytest.mark.django_db
INDEX = "admin:index"
JAKARTA = ZoneInfo("Asia/Jakarta")
NOON = datetime(2026, 11, 20, 12, tzinfo=JAKARTA)


def sell(world: World, at: datetime, price: int = 50_000) -> Order:
    world.now = at
    order = world.paid(world.customer(balance=price), world.product(price=price, stock=5))
    Order.objects.filter(pk=order.pk).update(paid_at=at, placed_at=at)
    return order


def test_revenue_is_counted_by_the_stores_days(world: World) -> None:
    # 00:30 in Jakarta is still the day before in UTC.
    sell(world, datetime(2026, 11, 20, 0, 30, tzinfo=JAKARTA), 10_000)
    sell(world, datetime(2026, 11, 19, 23, 30, tzinfo=JAKARTA), 20_000)
    sell(world, datetime(2026, 11, 13, 23, 59, tzinfo=JAKARTA), 40_000)
    sell(world, datetime(2026, 11, 6, 23, 59, tzinfo=JAKARTA), 80_000)
    found = selectors.sales(selectors.period_of(7, NOON))
    assert [day.revenue for day in found.days[-2:]] == [Decimal(20_000), Decimal(10_000)]
    assert (found.revenue, found.orders) == (Decimal(30_000), 2)
    assert (found.before.revenue, found.before.orders) == (Decimal(40_000), 1)
    assert len(found.days) == 7


def test_conversion_counts_what_was_placed_and_what_of_it_was_paid(
    world: World, bank: Any
) -> None:
    sell(world, NOON)
    world.qris(world.customer(), world.product())
    found = selectors.conversion(selectors.period_of(7, NOON))
    assert (found.placed.now, found.paid.now, found.percent) == (2, 1, 50)
    assert found.percent_before is None


def test_best_products_are_those_that_brought_most(world: World) -> None:
    sell(world, NOON, 10_000)
    best = sell(world, NOON, 90_000)
    found = selectors.best_products(selectors.period_of(7, NOON), limit=1)
    assert [(row.product_id, row.units, row.revenue) for row in found] == [
        (best.items.get().product_id, 1, Decimal(90_000))
    ]


def test_low_stock_lists_the_emptiest_first(world: World) -> None:
    low = world.product(stock=3)
    empty = world.product(stock=0)
    world.product(stock=4)
    world.product(kind="shared")
    found, count = selectors.low_stock()
    assert [(row.product, row.left) for row in found] == [(empty, 0), (low, 3)]
    assert count == 2


def test_what_needs_a_person_is_said_and_links_there(owner: Client, world: World) -> None:
    now = timezone.now()
    assert not selectors.attention(now).is_needed
    Case.objects.create(kind=CaseKind.AMOUNT_DIFFERS, key="1", opened_at=now)
    GatewaySilence.objects.create(gateway="pakasir", since=now, last_call_at=now)
    for number, (state, attempts) in enumerate(
        [(OutboxState.FAILED, 9), (OutboxState.PENDING, 3), (OutboxState.PENDING, 1)]
    ):
        OutboxMessage.objects.create(
            kind="x", priority=10, dedupe_key=str(number), state=state, attempts=attempts
        )
    found = selectors.attention(now)
    assert (found.open_cases, found.failed_messages, found.parked_messages) == (1, 1, 1)
    assert found.is_gateway_down
    page = body(owner, reverse(INDEX))
    for text in ("1 open case to look at", "does not answer", "1 message could not be delivered"):
        assert text in page
    answer = owner.get(reverse(INDEX))
    for task in answer.context["tasks"]:
        body(owner, task.url)


def test_an_empty_store_is_welcomed(owner: Client) -> None:
    page = body(owner, reverse(INDEX))
    assert "Add a product" in page
    assert "No orders yet" in page
    assert "Rp0" in page


@pytest.mark.parametrize(("asked", "days"), [("7", 7), ("60", 60), ("x", 30), ("", 30), ("9", 30)])
def test_the_period_is_one_of_three(owner: Client, asked: str, days: int) -> None:
    answer = owner.get(reverse(INDEX), {"days": asked})
    [active] = [each for each in answer.context["periods"] if each["active"]]
    assert active["title"] == f"{days} days"


def test_it_asks_few_queries_however_much_was_sold(owner: Client, shop: World) -> None:
    body(owner, reverse(INDEX))
    with CaptureQueriesContext(connection) as few:
        body(owner, reverse(INDEX))
    for _ in range(5):
        sell(shop, timezone.now())
    with CaptureQueriesContext(connection) as many:
        body(owner, reverse(INDEX))
    assert len(many) <= len(few) <= 22


def test_figures_are_for_those_who_may_see_orders(
    staff: Callable[..., Client], shop: World
) -> None:
    page = body(staff("catalog.view_product"), reverse(INDEX))
    assert "Low or sold out" in page
    assert "Revenue" not in page
    assert "open case" not in page
    assert "Nothing to show here" in body(staff(), reverse(INDEX))


def test_cards_compare_in_words(owner: Client, world: World) -> None:
    now = timezone.now()
    sell(world, now - timedelta(days=8), 40_000)
    sell(world, now, 10_000)
    cards = {
        card.title: card for card in owner.get(reverse(INDEX), {"days": "7"}).context["cards"]
    }
    revenue, paid = cards["Revenue, 7 days"], cards["Orders paid"]
    assert (revenue.change, revenue.beside, revenue.tone) == (
        "75 % less",
        "than in the 7 days before",
        "bad",
    )
    assert (paid.change, paid.beside, paid.tone) == (
        "the same",
        "as in the 7 days before",
        "quiet",
    )
    share = cards["Orders that got paid"]
    assert (share.value, share.change, share.beside) == (
        "100 %",
        "100 %",
        "in the 7 days before",
    )
    assert cards["Open payments"].note == "nobody is paying just now"
    page = body(owner, reverse(INDEX))
    assert "points" not in page


def test_an_open_payment_says_how_much_and_since_when(
    owner: Client, world: World, bank: Any
) -> None:
    payment = world.qris(world.customer(), world.product())
    [card] = [c for c in owner.get(reverse(INDEX)).context["cards"] if c.title == "Open payments"]
    assert card.value == "1"
    assert card.note == f"Rp50.000 awaited, the oldest since {moment(payment.created_at)}"


def test_the_chart_draws_what_was_and_marks_today_as_unfinished(world: World) -> None:
    sell(world, NOON, 30_000)
    chart = sales_chart(selectors.sales(selectors.period_of(7, NOON)))
    orders, revenue = chart["datasets"]
    assert chart["labels"][-2:] == ["19 Nov", "20 Nov, so far"]
    assert (orders["data"][-1], revenue["data"][-1]) == (1, 30_000)
    # A smoothed line would show money between two days that nobody paid.
    assert (revenue["type"], orders["tension"]) == ("bar", 0)
    colours = revenue["backgroundColor"]
    assert len(colours) == 7
    assert set(colours[:-1]) == {colours[0]} != {colours[-1]}


def test_the_chart_does_not_fall_to_nothing_at_midnight(world: World) -> None:
    sell(world, NOON - timedelta(days=1), 30_000)
    chart = sales_chart(selectors.sales(selectors.period_of(7, NOON)))
    assert chart["datasets"][0]["data"] == [0, 0, 0, 0, 0, 1, None]
