"""From /start to a product: what a customer sees before an order."""

from decimal import Decimal
from typing import Any

import pytest

from catalog.models import Category, Product, ProductKind, ProductPhoto
from catalog.services.products import create_category
from telegram_bot.lengths import utf16_length
from telegram_bot.qr import qr_png
from tests.bot.harness import BotHarness
from tests.world import World

LONG_NAME = ("<b>&amp; سلام 🎬 " * 20)[:255]


@pytest.fixture
def streaming(world: World) -> Category:
    return create_category(name="Streaming")


def numbers(row: list[str]) -> list[int]:
    return [int(label) for label in row]


def test_start_greets_with_the_numbers_in_stock_and_shows_the_menu(
    shop_bot: BotHarness, world: World, settings: Any
) -> None:
    settings.DOCUMENTATION_URL = "https://docs.example/shop"
    world.product(number=205, stock=1)
    world.product(number=101, stock=2)
    world.product(number=150, stock=0)
    buyer = world.customer(balance=50_000)
    world.paid(buyer, world.product(number=999, stock=1))
    sari = shop_bot.person("Sari <3")
    sari.send("/start")
    greeting, menu = sari.messages
    assert "Hai Sari <3, selamat datang di QuickCart!" in greeting.text
    assert greeting.keyboard == [
        ["LIST PRODUK", "STOK"],
        ["RIWAYAT TRANSAKSI", "BANTUAN"],
        ["101", "205"],
    ]
    assert menu.labels == ["Kategori", "Terlaris", "Semua Produk", "Riwayat Transaksi"]
    assert "Pelanggan: 2" in menu.text
    assert "Transaksi selesai: 1" in menu.text
    assert 'href="https://docs.example/shop"' in menu.html


def test_the_reply_keyboard_holds_24_numbers_in_rows_of_8(
    shop_bot: BotHarness, world: World
) -> None:
    for number in range(130, 100, -1):
        world.product(number=number, stock=1)
    sari = shop_bot.person()
    sari.send("/start")
    rows = sari.messages[0].keyboard[2:]
    assert [numbers(row) for row in rows] == [
        list(range(101, 109)),
        list(range(109, 117)),
        list(range(117, 125)),
    ]


def test_the_welcome_sticker_is_for_the_first_start_only(
    shop_bot: BotHarness, world: World, settings: Any
) -> None:
    settings.TELEGRAM_WELCOME_STICKER = "CAACAgIAAxkBAAE"
    sari = shop_bot.person()
    sari.send("/start")
    sari.send("/start")
    assert len(shop_bot.calls("sendSticker")) == 1


def test_the_sandbox_greets_with_a_sticker_its_stand_in_knows(
    shop_bot: BotHarness, world: World, settings: Any
) -> None:
    settings.TELEGRAM_WELCOME_STICKER = settings.SANDBOX_STICKER
    sari = shop_bot.person()
    sari.send("/start")
    assert sari.messages[0].sticker.endswith(".svg")


def test_a_deep_link_greets_a_new_customer_and_opens_the_product(
    shop_bot: BotHarness, world: World
) -> None:
    world.product(number=101, name="Netflix")
    sari = shop_bot.person()
    sari.send("/start p_101")
    assert [message.keyboard != [] for message in sari.messages] == [True, False]
    assert "Netflix" in sari.last.text
    sari.send("/start p_101")
    assert len(sari.messages) == 3


@pytest.mark.parametrize("argument", ["p_999", "p_" + "9" * 23, "p_", "p_-1", "ref5", "p_1 1"])
def test_a_deep_link_to_nothing_is_answered_kindly(
    shop_bot: BotHarness, world: World, argument: str
) -> None:
    sari = shop_bot.person()
    sari.send(f"/start {argument}")
    assert "Kategori" in sari.last.labels


def test_categories_with_products_and_those_without_a_category(
    shop_bot: BotHarness, world: World, streaming: Category
) -> None:
    create_category(name="Empty")
    world.product(name="Netflix", category=streaming)
    world.product(name="Loose")
    sari = shop_bot.person()
    sari.send("/start")
    sari.press("Kategori")
    assert sari.last.labels == ["Streaming", "Tanpa Kategori", "KEMBALI"]
    sari.press("Tanpa Kategori")
    assert "Loose" in sari.last.text
    assert "Netflix" not in sari.last.text
    sari.press("KEMBALI")
    sari.press("Streaming")
    assert "Netflix" in sari.last.text
    assert "Loose" not in sari.last.text


def test_a_list_is_turned_page_by_page_and_leads_back(shop_bot: BotHarness, world: World) -> None:
    for number in range(101, 111):
        world.product(number=number, stock=0 if number == 110 else 1)
    sari = shop_bot.person()
    sari.send("LIST PRODUK")
    assert sari.last.labels[-2:] == ["KEMBALI", "SELANJUTNYA 1/2"]
    assert len(sari.last.labels) == 10
    sari.press("SELANJUTNYA")
    assert sari.last.labels[-2:] == ["KEMBALI", "SELANJUTNYA 2/2"]
    assert sari.last.labels[1].startswith("❌ 110")
    sari.press("KEMBALI")
    assert "SELANJUTNYA 1/2" in sari.last.labels
    sari.press("KEMBALI")
    assert "Semua Produk" in sari.last.labels


def test_best_sellers_and_their_masked_buyers(shop_bot: BotHarness, world: World) -> None:
    never = world.product(name="Never sold")
    often = world.product(name="Often sold", price=10_000)
    buyer = world.customer(name="Budi Santoso", balance=50_000)
    world.paid(buyer, often, quantity=2)
    sari = shop_bot.person()
    sari.send("/start")
    sari.press("Terlaris")
    assert "Often sold" in sari.last.text
    assert never.name not in sari.last.text
    sari.press("Top Buyers")
    assert "Bu*** · 1 pesanan · Rp20.000" in sari.last.text
    assert "Budi" not in sari.last.text
    sari.press("KEMBALI")
    assert "Often sold" in sari.last.text


def test_stock_lists_every_product_with_what_is_left(shop_bot: BotHarness, world: World) -> None:
    world.product(number=101, name="Netflix", stock=7)
    world.product(number=102, name="Gone", stock=0)
    world.product(number=103, name="Course", kind=ProductKind.SHARED)
    sari = shop_bot.person()
    sari.send("/stock")
    assert "101 · Netflix · stok 7" in sari.last.text
    assert "102 · Gone · habis" in sari.last.text
    assert "103 · Course · selalu tersedia" in sari.last.text


def test_a_product_shows_the_price_of_this_customer(shop_bot: BotHarness, world: World) -> None:
    product = world.product(
        number=101,
        price=50_000,
        reseller_price=Decimal(40_000),
        discount_percent=Decimal(10),
        description="Premium & cepat",
        stock=4,
    )
    Product.objects.filter(pk=product.pk).update(sold_shown=12)
    sari = shop_bot.person()
    sari.send("101")
    assert "<s>Rp50.000</s> <b>Rp45.000</b>" in sari.last.html
    assert "Premium & cepat" in sari.last.text
    assert "Stok: 4" in sari.last.text
    assert "Terjual: 12" in sari.last.text
    rudi = shop_bot.chat_of(world.customer(name="Rudi", is_reseller=True))
    rudi.send("101")
    assert "<s>Rp40.000</s> <b>Rp36.000</b>" in rudi.last.html


def test_quantity_stays_within_one_and_what_can_be_had(shop_bot: BotHarness, world: World) -> None:
    world.product(number=101, price=1_000, stock=9)
    sari = shop_bot.person()
    sari.send("101")
    assert sari.last.labels == [
        "-", "+", "+2", "+5", "+10", "Lanjut ke pembayaran", "Batalkan",
    ]  # fmt: skip

    def press(path_end: str) -> str:
        button = next(b for b in sari.last.buttons if b.text == path_end)
        sari.press_path(button.path)
        return sari.last.text

    assert "Jumlah: 1\n" in press("-")
    assert sari.notice == "Kamu bisa beli 1 sampai 9 sekaligus."
    assert "Jumlah: 6\nTotal: Rp6.000" in press("+5")
    assert sari.notice == ""
    assert "Jumlah: 9\n" in press("+10")
    assert sari.notice == "Kamu bisa beli 1 sampai 9 sekaligus."
    assert "Jumlah: 8\n" in press("-")
    sari.press("Batalkan")
    assert "Semua Produk" in sari.last.labels


@pytest.mark.parametrize("kind", [ProductKind.SHARED, ProductKind.FILE])
def test_shared_and_file_goods_are_bought_one_at_a_time(
    shop_bot: BotHarness, world: World, kind: ProductKind
) -> None:
    world.product(number=101, kind=kind)
    sari = shop_bot.person()
    sari.send("101")
    assert sari.last.labels == ["Lanjut ke pembayaran", "Batalkan"]


def test_a_sold_out_product_offers_similar_ones(
    shop_bot: BotHarness, world: World, streaming: Category
) -> None:
    world.product(number=101, name="Gone", stock=0, category=streaming)
    world.product(number=102, name="Disney", category=streaming)
    world.product(number=103, name="Other", category=create_category(name="Other"))
    sari = shop_bot.person()
    sari.send("101")
    assert "sedang habis" in sari.last.text
    assert sari.last.labels == ["102 · Disney", "KEMBALI", "🏠 Menu"]


def test_a_product_with_a_photo_changes_in_place(shop_bot: BotHarness, world: World) -> None:
    product = world.product(number=101, stock=5)
    ProductPhoto.objects.create(product=product, image=qr_png("a picture"))
    sari = shop_bot.person()
    sari.send("101")
    assert sari.last.photo
    sari.press("+5")
    assert len(sari.messages) == 1
    assert "Jumlah: 5" in sari.last.text
    sari.press("Lanjut ke pembayaran")
    assert len(sari.messages) == 1
    assert not sari.last.photo


def test_a_card_too_long_for_a_caption_comes_as_photo_and_text(
    shop_bot: BotHarness, world: World
) -> None:
    product = world.product(number=101, description="x & " * 500)
    ProductPhoto.objects.create(product=product, image=qr_png("a picture"))
    sari = shop_bot.person()
    sari.send("101")
    photo, card = sari.messages
    assert photo.photo
    assert not photo.text
    assert "Lanjut ke pembayaran" in card.labels
    sari.press("+5")
    assert [message.id for message in sari.messages] == [photo.id, card.id]
    assert "Jumlah: 6\n" in sari.last.text


def test_long_names_arrive_intact_and_break_nothing(shop_bot: BotHarness, world: World) -> None:
    category = create_category(name=LONG_NAME)
    for number in range(101, 109):
        world.product(number=number, name=LONG_NAME, category=category, description="🎬" * 3_000)
    sari = shop_bot.person()
    for action in ("/start", "LIST PRODUK", "/stock", "101"):
        sari.send(action)
        assert 0 < utf16_length(sari.last.text) <= 4096
    assert LONG_NAME.strip() in sari.last.text
    sari.send("LIST PRODUK")
    assert sari.last.text.count(LONG_NAME.strip()) == 8
    sari.press_path("/categories/1")
    sari.press("<b>")
    assert LONG_NAME.strip() in sari.last.text
    assert all(utf16_length(label) <= 56 for label in sari.last.labels)


def test_names_of_emoji_only_stay_below_a_message(shop_bot: BotHarness, world: World) -> None:
    for number in range(101, 109):
        world.product(number=number, name="🎬" * 255)
    sari = shop_bot.person()
    sari.send("LIST PRODUK")
    assert not sari.last.document
    assert utf16_length(sari.last.text) <= 4096
    sari.send("101")
    assert "🎬" * 255 in sari.last.text


def test_the_reply_keyboard_is_renewed_with_the_next_new_message(
    shop_bot: BotHarness, world: World
) -> None:
    product = world.product(number=101, stock=1, price=10_000)
    world.product(number=102, stock=1)
    sari = shop_bot.person()
    sari.send("/start")
    buyer = world.customer(balance=10_000)
    world.paid(buyer, product)
    sari.press("Kategori")
    assert len(sari.messages) == 2
    sari.send("/help")
    renewed, help_text = sari.messages[-2:]
    assert renewed.keyboard[2:] == [["102"]]
    assert "/stock" in help_text.text
    sari.send("/help")
    assert not any(message.keyboard for message in sari.messages[-1:])
    assert len(sari.messages) == 5


def test_a_stale_number_explains_itself(shop_bot: BotHarness, world: World) -> None:
    sari = shop_bot.person()
    sari.send("101")
    assert "Produk nomor 101 tidak ada (lagi)" in sari.last.text
    assert "Kategori" in sari.last.labels


def test_language_is_chosen_and_the_keyboard_follows(shop_bot: BotHarness, world: World) -> None:
    sari = shop_bot.person()
    sari.send("/language")
    sari.press("English")
    assert sari.customer.language == "en"
    greeting, menu = sari.messages[-2:]
    assert greeting.keyboard[:2] == [["PRODUCT LIST", "STOCK"], ["ORDER HISTORY", "HELP"]]
    assert menu.labels == ["Categories", "Best sellers", "All products", "Order history"]
    sari.press_path("/language/fr")
    assert sari.customer.language == "en"
    assert "no longer valid" in sari.last.text


def test_help_order_and_cancel_answer(shop_bot: BotHarness, world: World) -> None:
    sari = shop_bot.person()
    sari.send("/help")
    assert "/stock – Stok yang tersedia" in sari.last.text
    assert "@quickcart_demo_bot" in sari.last.text
    sari.send("/order")
    assert "QRIS dalam 10 menit" in sari.last.text
    sari.send("/cancel")
    assert sari.last.labels[0] == "Kategori"
