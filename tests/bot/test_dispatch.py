"""What is answered to what, and that nothing a person can send breaks anything."""

from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.urls import Resolver404, resolve

from accounts.models import Customer
from catalog.models import Product, StockItem
from core.models import OutboxMessage
from orders.models import Order
from payments.models import Payment
from telegram_bot import sessions
from telegram_bot.paths import Terms
from telegram_bot.shortcuts import URLCONF, path_to
from tests.bot.harness import BotHarness, Chat
from tests.world import World

DIGITS = "9" * 23
KEY = "ABCDEFGHJK"

FORGED = [
    "x",
    "/",
    "//",
    "menu",
    "/menu/",
    "/menu?next=1",
    "/menu\n",
    "/Menu",
    "/product/",
    "/product/-1",
    "/product/1.5",
    "/product/1e3",
    "/product/٣",
    "/product/" + DIGITS,
    f"/product/{2**63}",
    f"/product/1/{DIGITS}",
    "/product/1/10000",
    "/product/1/-1",
    "/category/" + DIGITS + "/1",
    "/products/" + DIGITS,
    "/orders/-1",
    "/order/" + DIGITS,
    "/order/1/delete",
    f"/summary/1/1/{DIGITS}",
    f"/qris/zzzzzzzzzzzzz/1/1/0/{KEY}",
    f"/qris/1/1/1/zzzzzzzzzzzzz/{KEY}",
    f"/qris/1/1/zzzzzzzzzz/0/{KEY}",
    "/qris/1/1/1/0/short",
    "/qris/1/1/1/0/abcdefghjk",
    "/language/" + "x" * 50,
    "/language/../../etc",
    "/admin/",
    "' OR 1=1 --",
    "🎬" * 16,
    "\u202e/menu",
    "%00",
    "/product/1\x00",
]
ABSENT = [
    f"/product/{2**63 - 1}",
    f"/product/{2**63 - 1}/9999",
    "/product/0",
    f"/category/{2**63 - 1}/9999",
    f"/summary/{2**63 - 1}/9999",
    f"/summary/{2**63 - 1}/0/{2**63 - 1}",
    f"/voucher/{2**63 - 1}/9999",
    f"/order/{2**63 - 1}",
    f"/order/{2**63 - 1}/cancel",
    path_to("qris", Terms(2**63 - 1, 9_999, 36**9 - 1, 2**63 - 1, KEY)),
    path_to("balance", Terms(2**63 - 1, 9_999, 36**9 - 1, 2**63 - 1, KEY)),
    path_to("pay", Terms(2**63 - 1, 0, 0, 2**63 - 1, KEY)),
    path_to("take", Terms(2**63 - 1, 1, 0, 0, KEY)),
]


@pytest.fixture
def sari(shop_bot: BotHarness, world: World) -> Chat:
    chat = shop_bot.person("Sari")
    chat.send("/start")
    return chat


def counts() -> dict[type[models.Model], int]:
    kinds = (Customer, Product, StockItem, Order, Payment, OutboxMessage, ContentType)
    return {kind: kind._default_manager.count() for kind in kinds}


@pytest.mark.parametrize("data", FORGED)
def test_a_forged_button_is_answered_kindly_and_changes_nothing(
    sari: Chat, world: World, data: str, caplog: pytest.LogCaptureFixture
) -> None:
    world.product()
    before = counts()
    if len(data.encode()) > 64 or "\x00" in data:
        with pytest.raises(Resolver404):
            resolve(data, URLCONF)
        return
    sari.press_path(data)
    assert "Tombol ini sudah tidak berlaku" in sari.last.text
    assert sari.last.labels == ["🏠 Menu"]
    assert counts() == before
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("data", ABSENT)
def test_a_button_to_what_does_not_exist_leads_back(
    sari: Chat, world: World, data: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = counts()
    sari.press_path(data)
    assert sari.last.text
    assert sari.last.buttons
    assert counts() == before
    assert not [record for record in caplog.records if record.exc_info]


def test_a_forged_total_or_quantity_buys_nothing(sari: Chat, world: World) -> None:
    product = world.product(price=50_000, stock=5)
    world.credit(sari.customer, 500_000)
    for quantity, total in ((1, 1), (1, 0), (0, 0), (6, 300_000), (9_999, 1)):
        for name in ("qris", "pay", "take"):
            sari.press_path(path_to(name, Terms(product.pk, quantity, total, 0, KEY)))
            assert sari.last.text
    assert not Order.objects.exists()
    assert not Payment.objects.exists()
    assert sari.customer.account_balance == 500_000


def test_a_free_button_takes_nothing_that_costs(sari: Chat, world: World) -> None:
    product = world.product(price=50_000)
    sari.press_path(path_to("take", Terms(product.pk, 1, 50_000, 0, KEY)))
    assert "tidak bisa dibayar dengan cara itu" in sari.last.text
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    "text",
    [
        "a\x00b",
        "x" * 4096,
        "9" * 4096,
        "🎬" * 2048,
        "\u202eسلام\u202c",
        "٣٤٥",
        "１０１",
        "½",
        "-1",
        "0",
        "2147483648",
        "%s %(x)s {0} {{ x }}",
        "<b>unclosed",
        "/start@quickcart_demo_bot\x00",
    ],
)
@pytest.mark.parametrize("awaits_voucher", [False, True])
def test_no_typed_text_breaks_anything(
    shop_bot: BotHarness,
    sari: Chat,
    world: World,
    text: str,
    awaits_voucher: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    product = world.product(number=101)
    if awaits_voucher:
        sari.press_path(path_to("voucher", product.pk, 1))
    before = len(sari.messages)
    sari.send(text)
    assert len(sari.messages) > before
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize(
    ("label", "shows"),
    [
        ("LIST PRODUK", "Netflix"),
        ("PRODUCT LIST", "Netflix"),
        ("STOK", "Netflix"),
        ("STOCK", "Netflix"),
        ("RIWAYAT TRANSAKSI", "🧾"),
        ("ORDER HISTORY", "🧾"),
        ("BANTUAN", "💡"),
        ("HELP", "💡"),
    ],
)
def test_a_label_of_the_reply_keyboard_works_in_any_language(
    shop_bot: BotHarness, world: World, label: str, shows: str, language: str
) -> None:
    world.product(name="Netflix")
    sari = shop_bot.person(language_code=language)
    sari.send(label)
    assert shows in sari.last.text


def test_a_label_wins_over_the_awaited_input(sari: Chat, world: World) -> None:
    product = world.product(name="Netflix")
    world.voucher("STOK")
    sari.press_path(path_to("voucher", product.pk, 1))
    sari.send("STOK")
    assert "Stok yang tersedia" in sari.last.text
    assert sessions.get_session(sari.user_id).awaiting == ""


def test_a_label_in_other_letters_is_just_text(sari: Chat) -> None:
    sari.send("list produk")
    assert "Bantuan" in sari.last.text


@pytest.mark.parametrize(
    ("chosen", "telegram", "store", "expected"),
    [
        ("en", "id", "id", "Help"),
        ("", "en-GB", "id", "Help"),
        ("", "EN", "id", "Help"),
        ("", "fr", "id", "Bantuan"),
        ("", "", "en", "Help"),
        ("fr", "id", "en", "Bantuan"),
    ],
)
def test_the_choice_wins_then_telegram_then_the_store(
    shop_bot: BotHarness,
    world: World,
    settings: Any,
    chosen: str,
    telegram: str,
    store: str,
    expected: str,
) -> None:
    settings.STORE_LANGUAGE = store
    sari = shop_bot.person(language_code=telegram)
    sari.send("/start")
    Customer.objects.filter(pk=sari.user_id).update(language=chosen)
    sari.send("/help")
    assert expected in sari.last.text


def test_groups_are_not_served(shop_bot: BotHarness, world: World) -> None:
    product = world.product(number=101)
    sari = shop_bot.person()
    group = shop_bot.staff_group(sari)
    for text in ("/start", "/help", "101", "LIST PRODUK", "halo"):
        group.send(text)
    assert group.messages == []
    assert not Customer.objects.filter(pk=sari.user_id).exists()
    assert product.stock.count() == 10


@pytest.mark.parametrize("command", ["/nonsense", "/addstock 101|x", "/ban 1", "/stats"])
def test_an_unknown_command_gets_no_message(sari: Chat, command: str) -> None:
    before = len(sari.messages)
    sari.send(command)
    assert len(sari.messages) == before


def test_a_command_replaces_the_question(sari: Chat, world: World) -> None:
    product = world.product()
    sari.press_path(path_to("voucher", product.pk, 1))
    assert sessions.get_session(sari.user_id).awaiting == "voucher_code"
    sari.send("/cancel")
    assert sessions.get_session(sari.user_id).awaiting == ""
