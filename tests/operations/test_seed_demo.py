import csv
import io
import re
from collections import Counter
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F
from django.utils import timezone

from accounts.models import Customer, LedgerEntry, LedgerKind, StaffChat
from catalog.models import Product, ProductKind, ProductPhoto, StockItem, StockState
from catalog.services.pricing import price_for
from core.models import OutboxMessage, OutboxState
from operations import sweep as sweeping
from operations.demo.products import LOW, PRODUCTS, SOLD_OUT
from operations.demo.seeding import measure_store
from operations.invariants import broken_invariants
from operations.sweep import sweep
from orders.errors import VoucherRefusal, VoucherRefused
from orders.goods import goods_of
from orders.models import Order, OrderStatus, VoucherUse
from orders.selectors import best_sellers, list_categories, top_buyers
from orders.services.vouchers import find_voucher
from payments.gateways import get_gateway
from payments.models import Case, CaseKind, GatewayEvent, GatewaySilence, Payment
from payments.services import health
from sandbox.telegram.models import Chat

BUDI, RINA, ANDI = 800_000_001, 800_000_002, 800_000_003
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("seeded"),
    pytest.mark.slow,
    pytest.mark.xdist_group("demo"),  # which is seeded once
]


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


def test_one_product_is_sold_out_two_are_low_and_one_has_thousands() -> None:
    left = {
        row.number: row.stock.available().count()
        for row in Product.objects.filter(kind=ProductKind.UNIQUE)
    }
    assert left.pop(SOLD_OUT) == 0
    assert left.pop(124) >= 2_000
    low = [
        row.number
        for row in Product.objects.all()
        if left.get(row.number, 9) < row.low_stock_threshold
    ]
    assert sorted(low) == list(LOW)
    assert {number: left.pop(number) for number in LOW} == {107: 2, 114: 3}
    assert all(5 <= count <= 200 for count in left.values())


def test_every_product_has_its_picture() -> None:
    photos = dict(ProductPhoto.objects.values_list("product__number", "content_type"))
    assert photos == dict.fromkeys(range(101, 125), "image/jpeg")
    assert all(bytes(row.image)[:3] == b"\xff\xd8\xff" for row in ProductPhoto.objects.all())


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


def test_budi_has_seen_everything() -> None:
    orders = Customer.objects.get(pk=BUDI).orders
    assert {OrderStatus.PAID, OrderStatus.EXPIRED, OrderStatus.CANCELLED} == set(
        orders.values_list("status", flat=True)
    )
    assert set(orders.paid().values_list("payment_method", flat=True)) == {
        "qris",
        "balance",
        "free",
    }
    assert orders.paid().filter(paid_at__gt=F("expires_at")).count() == 1
    assert orders.get(voucher_use__voucher__code="MERDEKA17").voucher_discount == 7_650


def test_rina_pays_the_resellers_price_for_several() -> None:
    order = Customer.objects.get(pk=RINA).orders.paid().filter(items__product__number=101)[0]
    item = order.items.get()
    assert (item.quantity, item.unit_price, order.total_bill) == (5, 40_000, 200_000)


def test_customers_are_many_and_of_all_kinds() -> None:
    customers = Customer.objects.all()
    assert 45 <= customers.count() <= 60
    assert customers.filter(username="").count() >= 5
    assert customers.filter(language="en").count() >= 3
    assert customers.filter(is_reseller=True).count() >= 3
    assert customers.get(is_banned=True).orders.exists()
    assert customers.exclude(blocked_bot_at=None).count() == 1
    days = {customer.created_at.date() for customer in customers}
    assert len(days) >= 20


def test_best_sellers_and_top_buyers_have_a_past() -> None:
    page = best_sellers(customer=Customer.objects.get(pk=BUDI), page=1)
    assert (len(page.items), page.pages) == (8, 3)
    sold = [offer.sold for offer in page.items]
    assert sold[0] >= 2 * sold[4] >= 2 * sold[7] > 0
    assert len(top_buyers()) == 10
    assert Order.objects.paid().count() >= 150


def test_most_orders_are_paid_by_qris() -> None:
    methods = Counter(Order.objects.paid().values_list("payment_method", flat=True))
    assert methods["qris"] > methods["balance"] > methods["free"] > 0


def test_the_store_grows() -> None:
    middle = timezone.now() - timedelta(days=30)
    assert (
        Order.objects.filter(placed_at__gt=middle).count()
        > 1.3 * Order.objects.filter(placed_at__lt=middle).count()
    )


def test_money_came_late_twice_and_otherwise() -> None:
    credited = Payment.objects.filter(
        reference__in=LedgerEntry.objects.filter(kind=LedgerKind.PAYMENT_CREDIT).values(
            "reference"
        )
    )
    assert Order.objects.paid().filter(paid_at__gt=F("expires_at")).count() >= 3
    assert credited.filter(order__status="expired", amount=F("received_amount")).count() == 2
    assert credited.filter(order__status="paid", order__payment_method="balance").count() == 2
    assert credited.exclude(amount=F("received_amount")).count() == 2
    assert [case.kind for case in Case.objects.all()] == [CaseKind.AMOUNT_DIFFERS] * 2


def test_balances_move_in_all_ways_there_are() -> None:
    kinds = set(LedgerEntry.objects.values_list("kind", flat=True))
    assert kinds == {"deposit", "purchase", "payment_credit", "transfer"}
    assert Payment.objects.filter(purpose="deposit", applied_at__isnull=False).count() >= 5


def test_vouchers_are_used() -> None:
    used = Counter(
        VoucherUse.objects.filter(state="consumed").values_list("voucher__code", flat=True)
    )
    assert used["PERDANA"] == 3
    assert min(used["MERDEKA17"], used["HEMAT10"]) >= 1


# --- What must hold ----------------------------------------------------------------------------


def test_the_invariants_hold() -> None:
    assert broken_invariants(timezone.now()) == []


def test_a_customers_movements_are_in_order() -> None:
    for customer in Customer.objects.all():
        for rows in (customer.ledger, customer.orders):
            times = [when(row) for row in rows.order_by("pk")]
            assert times == sorted(times)


def when(row: LedgerEntry | Order) -> datetime:
    return row.created_at if isinstance(row, LedgerEntry) else row.placed_at


def test_everything_is_in_the_past_and_at_rest() -> None:
    assert not Order.objects.pending().exists()
    assert not Payment.objects.open().exists()
    assert not Payment.objects.unapplied().exists()
    assert not Payment.objects.exclude(next_check_at=None).exists()
    assert not GatewayEvent.objects.filter(handled_at=None).exists()
    assert not GatewaySilence.objects.exists()
    assert set(StockItem.objects.values_list("state", flat=True)) == {
        StockState.AVAILABLE,
        StockState.SOLD,
    }
    assert not Order.objects.filter(placed_at__lt=F("customer__created_at")).exists()
    latest = [
        Order.objects.latest("placed_at").placed_at,
        Payment.objects.filter(ended_at__isnull=False).latest("ended_at").ended_at,
        Payment.objects.filter(completed_at__isnull=False).latest("completed_at").completed_at,
        LedgerEntry.objects.latest("created_at").created_at,
    ]
    assert max(moment for moment in latest if moment) < timezone.now()
    first = Order.objects.earliest("placed_at").placed_at
    assert latest[0] - first > timedelta(days=55)


def test_no_gateway_is_ever_asked_about_the_past(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(name: str | None = None) -> None:
        raise AssertionError(f"gateway {name} is asked")

    monkeypatch.setattr(health, "get_gateway", asked)
    monkeypatch.setattr(sweeping, "ship_audit", lambda *, now: 0)
    now = timezone.now()
    for later in (timedelta(), timedelta(seconds=15), timedelta(hours=1), timedelta(hours=49)):
        assert not any(sweep(now=now + later).values())


def test_the_bank_of_the_past_is_gone() -> None:
    assert set(Payment.objects.values_list("gateway", flat=True)) == {"demo"}
    assert get_gateway().name == "pakasir"
    with pytest.raises(ImproperlyConfigured):
        get_gateway("demo")


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
