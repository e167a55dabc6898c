"""Pages say what they show in the words of the menu, empty ones too; times are short."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from accounts.models import LedgerEntry
from backoffice import display
from backoffice.navigation import TITLES
from catalog.models import Product
from core.models import StoreSettings
from orders.models import Order
from payments.models import Case
from tests.backoffice.pages import body, url
from tests.backoffice.test_pages import MODELS, named
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shop(shop: World, owner: Client) -> None:
    Group.objects.create(name="Support")


@pytest.mark.parametrize("name", sorted(TITLES))
def test_a_list_is_called_what_the_menu_calls_it(owner: Client, name: str) -> None:
    answer = owner.get(reverse(f"admin:{name}_changelist"), follow=True)
    page = answer.content.decode()
    trail = strip_tags(page.split("<h1")[1].split("</h1>")[0].split(">", 1)[1])
    assert " ".join(trail.split("chevron_right")[0].split()).startswith(TITLES[name])
    assert f"{TITLES[name]} | " in page.split("</title>")[0]
    assert "Select " not in page.split("</title>")[0]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (User, "1 member of staff"),
        (Group, "1 role"),
        (LedgerEntry, "2 balance movements"),
        (Order, "2 orders"),
    ],
)
def test_rows_are_counted_in_the_same_words(owner: Client, model: type[Model], said: str) -> None:
    assert said in " ".join(strip_tags(body(owner, url(model, "changelist"))).split())


@pytest.mark.parametrize(
    ("model", "title"), [(User, "Add member of staff"), (Group, "Add role"), (Product, None)]
)
def test_what_is_added_is_called_so_too(
    owner: Client, model: type[Model], title: str | None
) -> None:
    page = body(owner, url(model, "add"))
    assert (title or "Add product") in strip_tags(page.split("<h1")[1].split("</h1>")[0])


@pytest.mark.parametrize("model", MODELS, ids=named)
def test_an_empty_list_says_so_kindly(owner: Client, model: type[Model]) -> None:
    if model is StoreSettings:
        return
    page = body(owner, f"{url(model, 'changelist')}?q=no-such-thing")
    assert "Nothing fits “no-such-thing”" in page
    assert "yielded" not in page


def test_an_empty_store_says_how_rows_come(owner: Client) -> None:
    Case.objects.all().delete()
    assert "Nothing needs a person." in body(owner, url(Case, "changelist"))


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (None, "–"),
        (datetime(2026, 11, 22, 12, 44, 59, tzinfo=UTC), "22 Nov 19:44"),
        (datetime(2026, 12, 31, 17, 0, tzinfo=UTC), "1 Jan 2027 00:00"),
        (datetime(2025, 3, 1, 1, 2, tzinfo=UTC), "1 Mar 2025 08:02"),
    ],
)
def test_times_are_short_and_on_one_line(
    monkeypatch: pytest.MonkeyPatch, at: datetime | None, text: str
) -> None:
    now = datetime(2026, 12, 31, 16, 59, tzinfo=UTC)
    monkeypatch.setattr(display.timezone, "now", lambda: now)
    assert display.moment(at) == text.replace(" ", "\N{NO-BREAK SPACE}")


def test_a_paid_order_that_is_not_delivered_yet_stands_out(owner: Client) -> None:
    order = Order.objects.paid().get()
    assert order.delivered_at is None
    assert "Paid, being delivered" in body(owner, url(Order, "changelist"))
    Order.objects.filter(pk=order.pk).update(delivered_at=order.paid_at)
    assert "being delivered" not in body(owner, url(Order, "changelist"))
