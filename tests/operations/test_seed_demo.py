import csv
import io
import re
from collections import Counter
from datetime import timedelta
from io import StringIO
from random import Random
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count, F, Sum
from django.utils import timezone

from accounts.models import Customer, StaffChat
from catalog.models import Product, ProductKind, StockBatch, StockItem, StockState
from catalog.services.pricing import price_for
from core.models import OutboxMessage, OutboxState
from operations.demo.people import demo_buyers
from operations.demo.plan import plan_history
from operations.demo.products import PRODUCTS, SOLD_OUT
from operations.demo.seeding import measure_store
from orders.errors import VoucherRefusal, VoucherRefused
from orders.goods import goods_of
from orders.models import Order, OrderItem, OrderStatus
from orders.selectors import best_sellers, list_categories, top_buyers
from orders.services.vouchers import find_voucher
from payments.models import Payment
from sandbox.telegram.models import Chat

BUDI, RINA, ANDI = 800_000_001, 800_000_002, 800_000_003
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("seeded")]


def product(number: int) -> Product:
    return Product.objects.select_related("category").get(number=number)


# --- What is there -----------------------------------------------------------------------------


def test_the_command_says_what_it_made_and_who_is_who(seeded: str) -> None:
    assert "6 categories, 24 products" in seeded
    assert "owner / quickcart-demo at http" in seeded
    for name in ("Budi Santoso (customer, 800000001)", "Rina", "Andi Pratama (admin"):
        assert name in seeded


def test_every_category_has_products_and_one_product_has_none() -> None:
    entries = list_categories()
    assert [entry.name for entry in entries] == [
        "Game",
        "Kursus & E-book",
        "Lisensi Software",
        "Musik",
        "Streaming",
        "VPN & Keamanan",
        "",
    ]
    assert entries[-1].products == 1


def test_products_cover_every_kind_and_price() -> None:
    products = list(Product.objects.order_by("number"))
    assert [row.number for row in products] == list(range(101, 125))
    assert {row.kind for row in products} == set(ProductKind.values)
    prices = [row.customer_price for row in products]
    assert (min(prices), max(prices)) == (0, 12_500_000)
    assert product(123).customer_price == 300
    assert product(124).customer_price == 1_000
    assert sum(row.reseller_price is not None for row in products) >= 5
    assert max(len(row.description) for row in products) > 1_024


@pytest.mark.parametrize(
    ("number", "unit"),
    [(102, 27_000), (106, 12_500), (112, 76_500), (101, 45_000)],
    ids=["percent", "nominal", "category", "none"],
)
def test_discounts(number: int, unit: int) -> None:
    assert price_for(product=product(number), is_reseller=False).unit == unit


def test_one_product_is_sold_out_and_another_has_thousands() -> None:
    assert not product(SOLD_OUT).stock.available().exists()
    assert product(124).stock.available().count() >= 2_000
    others = Product.objects.filter(kind=ProductKind.UNIQUE).exclude(number__in=[SOLD_OUT, 124])
    for row in others:
        assert 5 <= row.stock.available().count() <= 200, row


def test_the_pdf_is_whole() -> None:
    version = product(117).stock.get()
    assert version.file_name == "jualan-digital-dari-nol.pdf"
    data = next(row.document for row in PRODUCTS if row.number == 117).data
    assert data.startswith(b"%PDF-1.4\n")
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", data)[1])
    assert data[start:].startswith(b"xref\n0 6\n")
    offsets = [int(entry) for entry in re.findall(rb"(\d{10}) 00000 n ", data[start:])]
    for number, offset in enumerate(offsets, start=1):
        assert data[offset:].startswith(b"%d 0 obj\n" % number)
    [(length, stream)] = re.findall(rb"/Length (\d+) >>\nstream\n(.*)\nendstream", data, re.DOTALL)
    assert int(length) == len(stream)


def test_the_csv_opens_as_a_table() -> None:
    data = next(row.document for row in PRODUCTS if row.number == 118).data
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert rows[0] == ["Pos", "Anggaran", "Realisasi", "Selisih"]
    assert {len(row) for row in rows} == {4}


def test_vouchers_work_are_used_up_or_over() -> None:
    customer = Customer.objects.get(pk=BUDI)
    refusals = {}
    for code in ("HEMAT10", "POTONG5000", "PERDANA", "MERDEKA17"):
        try:
            find_voucher(customer=customer, code=code, subtotal=50_000, now=timezone.now())
        except VoucherRefused as refused:
            refusals[code] = str(refused)
    assert refusals == {"PERDANA": VoucherRefusal.USED_UP, "MERDEKA17": VoucherRefusal.OVER}
    with pytest.raises(VoucherRefused, match="below_minimum"):
        find_voucher(customer=customer, code="POTONG5000", subtotal=49_999, now=timezone.now())


# --- People ------------------------------------------------------------------------------------


def test_personas_have_their_roles_money_and_past() -> None:
    budi, rina, andi = Customer.objects.filter(pk__in=[BUDI, RINA, ANDI]).order_by("pk")
    assert [each.member_status for each in (budi, rina, andi)] == [
        "customer",
        "reseller",
        "admin",
    ]
    assert budi.name == "Budi Santoso"
    assert budi.account_balance == 250_000
    assert budi.orders.paid().count() >= 3
    assert StaffChat.objects.get().chat_id == settings.SANDBOX_STAFF_CHAT["id"]


def test_the_staff_login_opens_the_admin() -> None:
    user = authenticate(username="owner", password="quickcart-demo")
    assert user is not None
    assert user.is_superuser


def test_best_sellers_and_top_buyers_have_a_past() -> None:
    page = best_sellers(customer=Customer.objects.get(pk=BUDI), page=1)
    assert (len(page.items), page.pages) == (8, 3)
    assert len(top_buyers()) == 10
    assert Order.objects.paid().count() >= 60


# --- What must hold ----------------------------------------------------------------------------


def test_balances_are_the_sum_of_their_ledger() -> None:
    rows = Customer.objects.annotate(total=Sum("ledger__amount", default=0))
    assert not rows.exclude(account_balance=F("total")).exists()
    for customer in rows:
        entries = list(customer.ledger.order_by("pk"))
        assert [row.created_at for row in entries] == sorted(row.created_at for row in entries)


def test_stock_adds_up_and_nothing_is_reserved() -> None:
    states = Counter(StockItem.objects.values_list("state", flat=True))
    assert set(states) == {StockState.AVAILABLE, StockState.SOLD}
    for batch in StockBatch.objects.annotate(found=Count("items")):
        assert batch.imported_count == batch.found
    sold = OrderItem.objects.filter(
        product__kind=ProductKind.UNIQUE, order__status=OrderStatus.PAID
    )
    assert states[StockState.SOLD] == sold.aggregate(units=Sum("quantity"))["units"]
    for item in sold.annotate(found=Count("stock_items")):
        assert item.found == item.quantity


def test_orders_are_in_the_past_and_paid_means_delivered() -> None:
    assert not Order.objects.pending().exists()
    assert not Payment.objects.open().exists()
    assert not Payment.objects.exclude(next_check_at=None).exists()
    assert not Order.objects.paid().filter(delivered_at=None).exists()
    assert set(Order.objects.values_list("status", flat=True)) == {"paid", "expired", "cancelled"}
    oldest, newest = Order.objects.order_by("placed_at")[0], Order.objects.latest("placed_at")
    assert newest.placed_at < timezone.now()
    assert newest.placed_at - oldest.placed_at > timedelta(days=45)
    assert not Order.objects.filter(placed_at__lt=F("customer__created_at")).exists()


def test_no_message_of_the_past_is_ever_sent() -> None:
    assert OutboxMessage.objects.count() >= 2 * Order.objects.paid().count()
    assert set(OutboxMessage.objects.values_list("state", flat=True)) == {OutboxState.DROPPED}


def test_no_job_is_woken_for_the_past() -> None:
    assert connection.run_on_commit == []


def test_the_goods_of_the_past_can_be_read_again() -> None:
    for order in Order.objects.paid().filter(customer=BUDI):
        for goods in goods_of(order=order):
            assert goods.document or len(goods.contents) == goods.quantity


# --- Running it again --------------------------------------------------------------------------


@pytest.mark.parametrize("options", [[], ["--if-empty"], ["--seed=7"]])
def test_a_second_run_changes_nothing_and_says_so(options: list[str]) -> None:
    before = (measure_store(), list(Customer.objects.order_by("pk").values()))
    out = StringIO()
    call_command("seed_demo", *options, stdout=out)
    assert "The demo is there already; nothing changed." in out.getvalue()
    assert "owner / quickcart-demo" in out.getvalue()
    assert (measure_store(), list(Customer.objects.order_by("pk").values())) == before


def test_a_seed_decides_the_history() -> None:
    now = timezone.now()
    plans = [plan_history(buyers=demo_buyers(), rng=Random(n), now=now) for n in (1, 1, 2)]
    assert plans[0] == plans[1]
    assert plans[0] != plans[2]
    assert all(purchase.at < now for plan in plans for purchase in plan)


@pytest.mark.parametrize("seed", range(2, 12))
def test_any_seed_leaves_something_in_stock_to_sell(seed: int) -> None:
    now = timezone.now()
    taken: Counter[int] = Counter()
    for purchase in plan_history(buyers=demo_buyers(), rng=Random(seed), now=now):
        taken[purchase.number] += purchase.quantity
    for row in PRODUCTS:
        if row.kind == ProductKind.UNIQUE and row.number != SOLD_OUT:
            assert taken[row.number] < row.stock
    assert taken[SOLD_OUT] == 12


def test_outside_the_sandbox_the_command_is_refused(settings: Any) -> None:
    settings.SANDBOX = False
    before = measure_store()
    with pytest.raises(CommandError, match="SANDBOX is off"):
        call_command("seed_demo")
    assert measure_store() == before


# --- The stand-in ------------------------------------------------------------------------------


def test_the_stand_in_knows_the_same_people() -> None:
    out = StringIO()
    call_command("seed_sandbox", stdout=out)
    call_command("seed_sandbox", stdout=out)
    assert out.getvalue().splitlines() == [
        "4 chats made.",
        "Nothing to do: the stand-in knows everyone.",
    ]
    rina = Chat.objects.get(pk=RINA)
    assert (rina.kind, rina.first_name, rina.username) == ("private", "Rina", "rina_wijaya")
    group = Chat.objects.get(pk=settings.SANDBOX_STAFF_CHAT["id"])
    assert [member.user_id for member in group.memberships.all()] == [ANDI]
