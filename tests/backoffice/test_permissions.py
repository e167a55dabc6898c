"""Who may only look sees no button that acts, and is refused behind each address."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.models import Customer, StaffChat
from audit.models import AuditEntry
from catalog.models import Category, Product, StockBatch, StockItem
from catalog.services.categories import create_category
from core.models import StoreSettings
from orders.models import Order, Voucher
from tests.backoffice.pages import body, url
from tests.world import World

pytestmark = pytest.mark.django_db
EVERYTHING = (
    "accounts.view_customer",
    "accounts.view_staffchat",
    "auth.view_group",
    "auth.view_user",
    "catalog.view_category",
    "catalog.view_product",
    "catalog.view_stockbatch",
    "core.view_storesettings",
    "orders.view_voucher",
)
MODELS = (
    Category,
    Customer,
    Group,
    Product,
    StaffChat,
    StockBatch,
    StoreSettings,
    User,
    Voucher,
)
ACTIONS = (
    (Product, "catalog_product_add_stock"),
    (Product, "catalog_product_take_off"),
    (Product, "catalog_product_put_back"),
    (StockBatch, "catalog_stockbatch_withdraw"),
)


@pytest.fixture
def viewer(shop: World, staff: Callable[..., Client]) -> Client:
    create_category(name="Streaming")
    Group.objects.create(name="Support")
    StaffChat.objects.create(chat_id=-5, title="Gudang")
    return staff(*EVERYTHING)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_who_may_only_look_has_no_button_and_changes_nothing(
    viewer: Client, model: type[Model]
) -> None:
    row = model._default_manager.order_by("pk").first()
    assert row is not None
    before = model._default_manager.filter(pk=row.pk).values().get()
    for page in (
        body(viewer, url(model, "change", row.pk)),
        body(viewer, url(model, "changelist")),
    ):
        for button in (
            'name="_save"',
            "add-stock",
            "take-off-sale",
            "withdraw/",
            "/delete/",
            "/add/",
        ):
            assert button not in page
    assert viewer.post(url(model, "change", row.pk), {}).status_code == 403
    assert viewer.get(url(model, "add")).status_code == 403
    assert viewer.post(url(model, "add"), {}).status_code == 403
    assert viewer.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model._default_manager.filter(pk=row.pk).values().get() == before


@pytest.mark.parametrize(("model", "name"), ACTIONS)
def test_the_addresses_of_actions_refuse_them(
    viewer: Client, model: type[Model], name: str
) -> None:
    row = model._default_manager.order_by("pk").first()
    assert row is not None
    audited = AuditEntry.objects.count()
    address = reverse(f"admin:{name}", args=[row.pk])
    assert viewer.get(address).status_code == 403
    assert viewer.post(address, {"text": "one more"}).status_code == 403
    assert AuditEntry.objects.count() == audited


@pytest.mark.parametrize(("model", "name"), ACTIONS)
def test_control_the_owner_gets_in(
    viewer: Client, owner: Client, model: type[Model], name: str
) -> None:
    row = model._default_manager.order_by("pk").first()
    assert row is not None
    assert owner.get(reverse(f"admin:{name}", args=[row.pk])).status_code == 200


def test_who_sees_customers_sees_nothing_of_their_money_elsewhere(
    shop: World, staff: Callable[..., Client], owner: Client
) -> None:
    sari = Customer.objects.get(name__startswith="Sari")
    client = staff("accounts.view_customer")
    page = body(client, url(Customer, "change", sari.pk))
    listed = body(client, url(Customer, "changelist"))
    for text in ("Latest orders", "Balance movements", "Latest payments", "TRX"):
        assert text not in page
        assert text in body(owner, url(Customer, "change", sari.pk))
    assert "Rp90.000" not in listed
    assert "Rp90.000" in body(owner, url(Customer, "changelist"))


def test_who_sees_orders_sees_no_short_ids_payments_or_messages(
    shop: World, staff: Callable[..., Client], owner: Client
) -> None:
    order = Order.objects.paid().get()
    client = staff("orders.view_order")
    page = body(client, url(Order, "change", order.pk))
    item = StockItem.objects.filter(order_item__order=order)[0]
    for text in (item.short_id, "Notifications", "Balance movements", "No gateway payment"):
        assert text not in page
        assert text in body(owner, url(Order, "change", order.pk))
    assert "What happened" in page
