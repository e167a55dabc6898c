"""What a newcomer runs into: the way to stock, one settings row, closed doors, logging in."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages import get_messages
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory
from django.urls import reverse
from django.views.defaults import permission_denied

from catalog.models import Product, StockBatch, StockItem
from core.models import StoreSettings
from orders.models import Order
from tests.backoffice.pages import body, said, url, words
from tests.backoffice.test_products import form
from tests.world import World

pytestmark = pytest.mark.django_db
STOCK = "admin:catalog_product_add_stock"


def test_a_new_product_leads_on_to_its_stock(owner: Client) -> None:
    answer = owner.post(url(Product, "add"), form(name="Teh <b>Melati</b>"))
    product = Product.objects.get()
    assert answer["Location"] == url(Product, "change", product.pk)
    assert "is there, but it has nothing to sell yet." in said(answer)
    page = body(owner, answer["Location"])
    address = reverse(STOCK, args=[product.pk])
    assert page.count(f'href="{address}"') >= 3
    assert "It has nothing to sell" in page
    assert "<b>Melati" not in page


def test_who_adds_another_comes_to_the_next(owner: Client) -> None:
    answer = owner.post(url(Product, "add"), form() | {"_addanother": "1"})
    assert answer["Location"] == url(Product, "add")


def test_who_may_not_add_stock_is_not_led_there(staff: Callable[..., Client]) -> None:
    client = staff("catalog.add_product", "catalog.view_product")
    answer = client.post(url(Product, "add"), form())
    assert "Add stock" not in " ".join(str(m) for m in get_messages(answer.wsgi_request))
    assert "qc-lead" not in body(client, answer["Location"])


def test_a_product_with_stock_has_the_button_for_phones_only(owner: Client, world: World) -> None:
    product = world.product()
    page = body(owner, url(Product, "change", product.pk))
    assert "qc-lead--phone" in page
    assert "It has nothing to sell" not in page
    Product.objects.update(deleted_at=world.now)
    assert "qc-lead" not in body(owner, url(Product, "change", product.pk))


@pytest.mark.parametrize("model", [StockBatch, StockItem])
def test_lists_of_stock_say_where_it_is_added(
    owner: Client, staff: Callable[..., Client], world: World, model: type
) -> None:
    world.product()
    assert "Stock is added to a product" in body(owner, url(model, "changelist"))
    viewer = staff(f"catalog.view_{model.__name__.lower()}")
    assert "Stock is added to a product" not in body(viewer, url(model, "changelist"))


def test_settings_offer_no_second_row(owner: Client) -> None:
    for address in (url(StoreSettings, "add"), url(StoreSettings, "change", 1)):
        page = body(owner, address)
        assert 'name="_save"' in page
        assert 'name="_addanother"' not in page
        assert "addlink" not in page
        StoreSettings.objects.get_or_create(pk=1)


def test_records_lead_back_to_their_list_and_settings_nowhere(
    owner: Client, shop: World, staff: Callable[..., Client]
) -> None:
    page = words(owner.get(url(Order, "change", Order.objects.paid().get().pk)))
    assert "Back to the list" in page
    assert "Close" not in page
    viewer = staff("core.view_storesettings")
    assert "Back to the list" not in body(viewer, url(StoreSettings, "change", 1))


def test_a_closed_door_is_kind_and_tells_nothing(staff: Callable[..., Client]) -> None:
    answer = staff().get(url(Product, "changelist"))
    assert answer.status_code == 403
    text = answer.content.decode()
    assert "This page is not open to you" in text
    assert f'href="{reverse("admin:index")}"' in text
    assert "product" not in text.lower()


def test_a_closed_door_does_not_tell_strangers_where_the_back_office_is(
    rf: RequestFactory,
) -> None:
    request = rf.get("/")
    request.user = AnonymousUser()
    text = permission_denied(request, PermissionDenied("secret")).content.decode()
    assert reverse("admin:index") not in text
    assert "secret" not in text


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"username": "owner", "password": "wrong"}, "Please enter the correct username"),
        ({"username": "owner"}, "Please write your username and your password."),
    ],
)
def test_one_mistake_at_the_door_is_said_once(
    owner: Client, given: dict[str, str], sentence: str
) -> None:
    page = Client().post(reverse("admin:login"), given).content.decode()
    assert page.count('role="alert"') == 1
    assert sentence in page
    assert "correct the error" not in page


def test_who_logs_out_is_told_so_in_our_words(owner: Client) -> None:
    page = owner.post(reverse("admin:logout")).content.decode()
    assert "You are logged out" in page
    assert "quality time" not in page
