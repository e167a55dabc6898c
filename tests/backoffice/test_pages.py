"""Every page opens, asks a bounded number of queries, and shows no goods."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Customer, LedgerEntry, StaffChat
from audit.models import AuditEntry
from backoffice.navigation import MENU
from catalog.models import Category, Product, StockBatch, StockItem
from catalog.services.categories import create_category
from core.models import OutboxMessage, StoreSettings
from orders.models import Order, Refund, RefundPolicy, Voucher
from orders.refund_terms import RefundTerms
from orders.services.refund_policies import set_refund_policy
from orders.services.refund_quotes import quote_order
from orders.services.refunds import refund_to_balance
from payments.models import Case, GatewayEvent, Payment, StatusReport
from tests.backoffice.pages import assert_no_goods, body, url
from tests.world import World

EDITABLE = (Category, Product, StaffChat, Voucher, StoreSettings)
READ_ONLY = (
    StockBatch,
    StockItem,
    Order,
    Payment,
    LedgerEntry,
    Case,
    OutboxMessage,
    AuditEntry,
    GatewayEvent,
    Refund,
    StatusReport,
)
MODELS = (*EDITABLE, *READ_ONLY, Customer, RefundPolicy)


def named(model: type[Model]) -> str:
    return model.__name__


@pytest.fixture(autouse=True)
def _shop(shop: World, owner: Client) -> None:
    create_category(name="Streaming")
    StatusReport.objects.create(day=shop.now.date(), started_at=shop.now)
    Group.objects.create(name="Support")
    StaffChat.objects.create(chat_id=-5, title="Gudang")
    signature: Any = {"actor": "staff:owner", "source": "admin", "now": shop.now}
    set_refund_policy(terms=RefundTerms.parse("60|0:1|1:0.5"), **signature)
    [quote] = quote_order(order_id=Order.objects.paid().get().pk, now=shop.now)
    refund_to_balance(request=quote.request, **signature)


def test_every_model_of_the_shop_has_an_admin() -> None:
    assert {*MODELS, User, Group} <= set(admin.site._registry)


@pytest.mark.parametrize("model", [*MODELS, User, Group], ids=named)
def test_list_and_change_page_open_and_show_no_goods(owner: Client, model: type[Model]) -> None:
    for row in model._default_manager.order_by("-pk")[:5]:
        assert_no_goods(body(owner, url(model, "change", row.pk)))
    assert_no_goods(body(owner, url(model, "changelist")))


@pytest.mark.parametrize("model", [*MODELS, User, Group], ids=named)
def test_search_and_every_filter_work(owner: Client, model: type[Model]) -> None:
    address = url(model, "changelist")
    assert_no_goods(body(owner, f"{address}?q=1"))
    answer = owner.get(address)
    if answer.status_code == 302:
        return  # the settings are one row, there is no list
    filters = answer.context["cl"].filter_specs
    choices = [choice for each in filters for choice in each.choices(answer.context["cl"])]
    for choice in choices:
        body(owner, address + choice["query_string"])


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS, ids=named)
def test_a_list_asks_as_many_queries_for_ten_rows_as_for_three(
    owner: Client, model: type[Model], shop: World
) -> None:
    body(owner, url(model, "changelist"))
    with CaptureQueriesContext(connection) as few:
        body(owner, url(model, "changelist"))
    for _ in range(7):
        product = shop.product(stock=3, category=create_category(name=f"C{shop.later(days=1)}"))
        shop.paid(shop.customer(balance=50_000), product)
        shop.qris(shop.customer(), product)
        shop.voucher(code=f"V{product.pk}")
    with CaptureQueriesContext(connection) as many:
        body(owner, url(model, "changelist"))
    assert len(many) <= len(few) <= 14


@pytest.mark.parametrize("model", [*MODELS, User], ids=named)
def test_a_row_asks_a_bounded_number_of_queries(owner: Client, model: type[Model]) -> None:
    row = model._default_manager.order_by("pk").first()
    assert row is not None
    with CaptureQueriesContext(connection) as queries:
        body(owner, url(model, "change", row.pk))
    assert len(queries) <= 20


@pytest.mark.parametrize("model", [Category, Product, Voucher], ids=named)
def test_add_pages_open(owner: Client, model: type[Model]) -> None:
    assert "Save" in body(owner, url(model, "add"))


@pytest.mark.parametrize("model", READ_ONLY, ids=named)
def test_records_can_only_be_looked_at(owner: Client, model: type[Model]) -> None:
    row = model._default_manager.order_by("pk")[0]
    before = model._default_manager.filter(pk=row.pk).values().get()
    assert owner.post(url(model, "change", row.pk), {}).status_code == 403
    assert owner.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert owner.get(url(model, "add")).status_code == 403
    assert model._default_manager.filter(pk=row.pk).values().get() == before
    assert 'name="_save"' not in body(owner, url(model, "change", row.pk))


@pytest.mark.parametrize("model", [*MODELS, User, Group], ids=named)
def test_staff_without_a_permission_see_nothing(
    staff: Callable[..., Client], model: type[Model]
) -> None:
    nobody = staff()
    row = model._default_manager.order_by("pk").first()
    assert row is not None
    assert nobody.get(url(model, "changelist")).status_code == 403
    assert nobody.get(url(model, "change", row.pk)).status_code == 403
    assert nobody.get(url(model, "add")).status_code == 403


def test_the_menu_shows_what_a_role_may_open(staff: Callable[..., Client]) -> None:
    page = body(staff("catalog.view_product"), reverse("admin:index"))
    assert f'href="{url(Product, "changelist")}"' in page
    assert f'href="{url(Order, "changelist")}"' not in page
    assert "Revenue" not in page


def test_every_entry_of_the_menu_leads_somewhere(owner: Client) -> None:
    page = body(owner, reverse("admin:index"))
    for _group, entries in MENU:
        for _title, _icon, name in entries:
            address = reverse(f"admin:{name}_changelist")
            assert f'href="{address}"' in page
            body(owner, address)


def test_open_cases_are_counted_in_the_menu_and_listed_first(owner: Client, shop: World) -> None:
    Case.objects.create(
        kind="amount_differs", key="2", opened_at=shop.now, closed_at=shop.later(hours=1)
    )
    rows = owner.get(url(Case, "changelist")).context["cl"].result_list
    assert [row.closed_at is None for row in rows] == [True, False]


def test_names_of_customers_and_products_are_escaped(owner: Client) -> None:
    for address in (url(Product, "changelist"), url(Order, "changelist"), reverse("admin:index")):
        page = body(owner, address)
        assert "<b>Digital</b>" not in page
        assert "<i>Dewi</i>" not in page


def test_an_order_shows_what_happened_its_goods_and_its_messages(owner: Client) -> None:
    order = Order.objects.paid().get()
    page = body(owner, url(Order, "change", order.pk))
    for item in StockItem.objects.filter(order_item__order=order):
        assert item.short_id in page
    for text in ("Rp100.000", "Rp10.000", "Rp90.000", "Placed", "Paid", "Order delivered"):
        assert text in page
    assert order.checkout_key not in page


def test_a_gateway_event_shows_its_body_without_secrets(owner: Client) -> None:
    page = body(owner, url(GatewayEvent, "change", GatewayEvent.objects.get().pk))
    assert "50000" in page
    assert "the-webhooks-secret" not in page


def test_an_item_is_found_by_its_short_id(owner: Client) -> None:
    item = StockItem.objects.order_by("pk")[3]
    answer = owner.get(url(StockItem, "changelist"), {"q": item.short_id})
    assert [row.pk for row in answer.context["cl"].result_list] == [item.pk]


def test_the_back_office_is_english_whatever_the_browser_asks_for(owner: Client) -> None:
    answer = owner.get(url(Product, "add"), headers={"accept-language": "id"})
    assert "Simpan" not in answer.content.decode()
    assert 'lang="en"' in answer.content.decode()


def test_who_logs_in_comes_to_the_dashboard(owner: Client) -> None:
    form = {"username": "owner", "password": "x"}
    answer = Client().post(reverse("admin:login"), form)
    assert (answer.status_code, answer["Location"]) == (302, reverse("admin:index"))


def test_the_login_page_names_the_store_and_the_demos_login(settings: Any) -> None:
    settings.STORE_NAME = "Toko Sari"
    settings.SANDBOX_STAFF_LOGIN = {"username": "owner", "password": "the-demo-password"}
    page = body(Client(), reverse("admin:login"))
    assert "Toko Sari" in page
    assert "the-demo-password" in page
    settings.SANDBOX = False
    assert "the-demo-password" not in body(Client(), reverse("admin:login"))
