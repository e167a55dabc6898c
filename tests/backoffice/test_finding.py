"""A sale made in the chat is found from anywhere, and everything of it leads on."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Customer
from catalog.models import Product, StockItem
from orders.models import Order, Voucher
from payments.models import Payment
from tests.backoffice.pages import assert_no_goods, body, url, words
from tests.world import World

pytestmark = pytest.mark.django_db
FIND = "admin:backoffice_find"


@pytest.fixture(autouse=True)
def _shop(shop: World) -> None:
    """Every test looks at the same small shop."""


def led_to(client: Client, asked: str) -> str:
    answer = client.get(reverse(FIND), {"q": asked})
    assert answer.status_code == 302, words(answer)
    return str(answer["Location"])


def links(page: str) -> set[str]:
    return {unescape(each) for each in re.findall(r'href="(/admin/[^"]*)"', page)}


@pytest.mark.parametrize("spelled", [str, str.lower, lambda text: f"  {text} ", lambda t: t[:-4]])
def test_an_invoice_leads_to_its_order(owner: Client, spelled: Callable[[str], str]) -> None:
    order = Order.objects.paid().get()
    assert led_to(owner, spelled(order.invoice_id)) == url(Order, "change", order.pk)


def test_references_ids_and_codes_lead_to_their_rows(owner: Client) -> None:
    payment, item = Payment.objects.get(), StockItem.objects.order_by("pk")[2]
    sari, voucher = Customer.objects.get(name__startswith="Sari"), Voucher.objects.get()
    assert led_to(owner, payment.reference) == url(Payment, "change", payment.pk)
    assert led_to(owner, item.short_id.lower()) == url(StockItem, "change", item.pk)
    assert led_to(owner, str(sari.pk)) == url(Customer, "change", sari.pk)
    assert led_to(owner, sari.bank_id) == url(Customer, "change", sari.pk)
    assert led_to(owner, voucher.code.lower()) == url(Voucher, "change", voucher.pk)
    assert led_to(owner, "102") == url(Product, "change", Product.objects.get(number=102).pk)


def test_what_fits_several_is_listed_and_escaped(owner: Client) -> None:
    page = body(owner, reverse(FIND) + "?q=i")
    for row in (Product.objects.get(number=101), *Customer.objects.all()):
        assert url(type(row), "change", row.pk) in page
    assert "<i>Dewi</i>" not in page
    assert_no_goods(page)


@pytest.mark.parametrize("asked", ["", "zzz", "%", "9" * 40, "<u>", "\x00", "STCKILOU", "²"])
def test_what_fits_nothing_is_said_kindly(owner: Client, asked: str) -> None:
    answer = owner.get(reverse(FIND), {"q": asked})
    assert answer.status_code == 200
    assert "STCK" in words(answer)
    assert "<u>" not in answer.content.decode().split('<div class="qc-dashboard">')[1]


def test_staff_find_what_they_may_see(staff: Callable[..., Client]) -> None:
    order = Order.objects.paid().get()
    client = staff("accounts.view_customer")
    assert "Nothing fits" in body(client, f"{reverse(FIND)}?q={order.invoice_id}")
    sari = Customer.objects.get(name__startswith="Sari")
    assert led_to(client, str(sari.pk)) == url(Customer, "change", sari.pk)
    assert Client().get(reverse(FIND), {"q": "x"}).status_code == 302


def test_every_page_has_the_box(owner: Client) -> None:
    for address in (reverse("admin:index"), url(Order, "changelist"), url(Product, "add")):
        assert f'action="{reverse(FIND)}"' in body(owner, address)


def test_an_order_leads_to_all_that_belongs_to_it(owner: Client) -> None:
    order = Payment.objects.get().order
    assert order is not None
    found = links(body(owner, url(Order, "change", order.pk)))
    item = order.items.get()
    goods = StockItem.objects.filter(order_item=item)
    for row in (order.customer, item.product, Payment.objects.get(), *goods):
        address = url(type(row), "change", row.pk)
        assert address in found
        body(owner, address)


@pytest.mark.parametrize("of", ["customer", "payment", "product", "item"])
def test_an_order_is_reached_from_all_that_belongs_to_it(owner: Client, of: str) -> None:
    payment = Payment.objects.get()
    order = payment.order
    assert order is not None
    item = order.items.get()
    row = {
        "customer": order.customer,
        "payment": payment,
        "product": item.product,
        "item": StockItem.objects.get(order_item=item),
    }[of]
    assert url(Order, "change", order.pk) in links(body(owner, url(type(row), "change", row.pk)))


def test_every_link_of_an_orders_page_opens(owner: Client) -> None:
    order = Order.objects.paid().get()
    page = body(owner, url(Order, "change", order.pk))
    for address in links(page) - {reverse("admin:logout")}:
        body(owner, address)
