"""From the summary to the payment, with exact outcomes in the database."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import LedgerEntry
from catalog.models import Product, ProductKind, StockItem, StockState
from orders.models import Order, OrderStatus, PaymentMethod, Voucher, VoucherUse
from payments.models import GatewaySilence, Payment, PaymentStatus
from telegram_bot.paths import Terms
from telegram_bot.shortcuts import path_to
from tests.bot.flows import open_summary, path_of, pay, settle_stand_ins
from tests.bot.harness import BotHarness, Chat
from tests.world import World

BIGGEST = 2**63 - 1


@pytest.fixture(autouse=True)
def _stand_ins(settings: Any) -> None:
    settle_stand_ins(settings)


@pytest.fixture
def product(world: World) -> Product:
    return world.product(number=101, name="Netflix", price=50_000, stock=5)


@pytest.fixture
def sari(shop_bot: BotHarness, world: World) -> Chat:
    return shop_bot.chat_of(world.customer(balance=120_000))


def states(product: Product) -> list[str]:
    return sorted(product.stock.values_list("state", flat=True))


def test_a_summary_shows_the_price_and_stores_nothing(sari: Chat, product: Product) -> None:
    open_summary(sari, product, 2)
    assert "Netflix" in sari.last.text
    assert "Harga satuan: Rp50.000" in sari.last.text
    assert "Jumlah: 2\nSubtotal: Rp100.000\n💰 Total: Rp100.000" in sari.last.text
    assert "biaya sekitar Rp1.010" in sari.last.text
    assert sari.last.labels == ["Gunakan Voucher", "QRIS", "SALDO", "KEMBALI", "BATALKAN"]
    assert not Order.objects.exists()
    assert states(product) == ["available"] * 5


def test_every_summary_has_a_key_of_its_own(sari: Chat, product: Product) -> None:
    keys = set()
    for _ in range(3):
        open_summary(sari, product)
        keys.add(path_of(sari, "QRIS").rpartition("/")[2])
    assert len(keys) == 3
    assert all(len(key) == 10 for key in keys)


@pytest.mark.parametrize("name", ["qris", "balance", "pay", "take"])
def test_a_payment_button_fits_64_bytes_with_the_largest_ids(name: str) -> None:
    terms = Terms(BIGGEST, 9_999, 9_999_999_999_999, BIGGEST, "ZZZZZZZZZZ")
    assert len(path_to(name, terms).encode()) <= 64


def test_back_and_cancel_lead_out_of_a_summary(sari: Chat, product: Product) -> None:
    open_summary(sari, product, 3)
    sari.press("KEMBALI")
    assert "Jumlah: 3\n" in sari.last.text
    sari.press("Lanjut ke pembayaran")
    sari.press("BATALKAN")
    assert sari.last.labels[0] == "Kategori"
    assert not Order.objects.exists()


def test_qris_shows_the_qr_and_payment_brings_the_goods(
    shop_bot: BotHarness, sari: Chat, product: Product
) -> None:
    open_summary(sari, product, 2)
    sari.press("QRIS")
    preparing = sari.last
    order, payment = Order.objects.get(), Payment.objects.get()
    assert "Menyiapkan kode QR" in preparing.text
    assert (payment.chat_id, payment.message_id) == (sari.id, preparing.id)
    assert states(product) == ["available"] * 3 + ["reserved"] * 2
    shop_bot.run_jobs()
    payment.refresh_from_db()
    qr = sari.last
    assert qr.photo
    assert preparing.id not in {message.id for message in sari.messages}
    assert payment.message_id == qr.id
    for part in (order.invoice_id, "Jumlah: Rp100.000", "Biaya: Rp1.010", "Rp101.010", "WIB"):
        assert part in qr.text
    assert qr.labels == ["Checkout Page", "Status Pembayaran", "Batalkan"]
    assert payment.txn_id
    assert f"/{payment.txn_id}?qris_only=1" in qr.buttons[0].url
    pay(shop_bot, payment)
    order.refresh_from_db()
    assert (order.status, order.payment_method) == (OrderStatus.PAID, PaymentMethod.QRIS)
    assert order.delivered_at
    assert qr.id not in {message.id for message in sari.messages}
    contents = sari.last.html.count("<code>user")
    assert contents == 2
    assert states(product) == ["available"] * 3 + ["sold"] * 2


def test_the_same_summary_twice_is_one_order_in_its_true_state(
    shop_bot: BotHarness, sari: Chat, product: Product
) -> None:
    open_summary(sari, product)
    qris = path_of(sari, "QRIS")
    sari.press_path(qris)
    sari.press_path(qris)
    assert "Menyiapkan kode QR" in sari.last.text
    shop_bot.run_jobs()
    sari.press_path(qris)
    assert "Menunggu pembayaranmu" in sari.last.text
    pay(shop_bot, Payment.objects.get())
    sari.press_path(qris)
    assert "Pesanan lunas" in sari.last.text
    assert Order.objects.count() == Payment.objects.count() == 1


def test_the_status_button_tells_and_settles(
    shop_bot: BotHarness, sari: Chat, product: Product
) -> None:
    open_summary(sari, product)
    sari.press("QRIS")
    sari.press("Status Pembayaran")
    assert "masih dibuat" in sari.notice
    shop_bot.run_jobs()
    sari.press("Status Pembayaran")
    assert "Belum ada pembayaran masuk" in sari.notice
    payment = Payment.objects.get()
    shop_bot.pay(payment, webhook=False)
    Payment.objects.update(last_checked_at=payment.created_at - timedelta(minutes=1))
    sari.press("Status Pembayaran")
    assert "Pembayaran diterima" in sari.notice
    assert Order.objects.get().status == OrderStatus.PAID
    shop_bot.deliver()
    assert "Ini pesananmu" in sari.last.text


def test_cancelling_frees_the_goods_and_takes_the_qr_away(
    shop_bot: BotHarness, sari: Chat, product: Product
) -> None:
    open_summary(sari, product)
    sari.press("QRIS")
    shop_bot.run_jobs()
    qr = sari.last
    sari.press("Batalkan")
    assert "Pesananmu dibatalkan" in sari.last.text
    assert qr.id not in {message.id for message in sari.messages}
    assert Order.objects.get().status == OrderStatus.CANCELLED
    assert Payment.objects.get().status == PaymentStatus.CANCELLED
    assert states(product) == ["available"] * 5
    sari.press_path(path_to("cancel_order", Order.objects.get().pk))
    assert "Pesananmu dibatalkan" in sari.last.text


def test_a_paid_order_cannot_be_cancelled_and_says_so(
    shop_bot: BotHarness, sari: Chat, world: World, product: Product
) -> None:
    order = world.paid(sari.customer, product)
    shop_bot.deliver()
    sari.press_path(path_to("cancel_order", order.pk))
    assert "Pesanan lunas" in sari.last.text
    order.refresh_from_db()
    assert order.status == OrderStatus.PAID


def test_balance_asks_first_then_pays_and_delivers(
    shop_bot: BotHarness, sari: Chat, product: Product
) -> None:
    open_summary(sari, product, 2)
    sari.press("SALDO")
    assert "Bayar Rp100.000 dengan saldo kamu?" in sari.last.text
    assert "Sisa setelahnya: Rp20.000" in sari.last.text
    assert sari.last.labels == ["Ya", "KEMBALI"]
    assert not Order.objects.exists()
    yes = sari.last.buttons[0].path
    sari.press("Ya")
    assert "Lunas, terima kasih!" in sari.last.text
    sari.press_path(yes)
    shop_bot.deliver()
    assert sari.last.html.count("<code>user") == 2
    order = Order.objects.get()
    assert (order.status, order.payment_method) == (OrderStatus.PAID, PaymentMethod.BALANCE)
    assert sari.customer.account_balance == Decimal(20_000)
    assert LedgerEntry.objects.filter(amount=Decimal(-100_000)).count() == 1
    assert not Payment.objects.exists()


def test_too_little_balance_says_how_much_is_missing(sari: Chat, product: Product) -> None:
    open_summary(sari, product, 3)
    sari.press("SALDO")
    assert "Kurang: Rp30.000" in sari.last.text
    sari.press("KEMBALI")
    assert "Ringkasan Pesanan" in sari.last.text
    assert not Order.objects.exists()
    assert sari.customer.account_balance == Decimal(120_000)


def test_balance_spent_before_yes_is_refused_and_changes_nothing(
    sari: Chat, world: World, product: Product
) -> None:
    open_summary(sari, product, 2)
    sari.press("SALDO")
    world.paid(sari.customer, world.product(price=100_000))
    sari.press("Ya")
    assert "Kurang: Rp80.000" in sari.last.text
    assert Order.objects.count() == 1
    assert states(product) == ["available"] * 5


def test_balance_pays_an_order_whose_qr_is_open(
    shop_bot: BotHarness, sari: Chat, product: Product
) -> None:
    open_summary(sari, product, 2)
    balance = path_of(sari, "SALDO")
    sari.press("QRIS")
    shop_bot.run_jobs()
    qr = sari.last
    sari.send("/cancel")
    sari.press_path(balance)
    sari.press("Ya")
    shop_bot.deliver()
    assert Order.objects.get().status == OrderStatus.PAID
    assert Payment.objects.get().status == PaymentStatus.CANCELLED
    assert qr.id not in {message.id for message in sari.messages}
    assert "Ini pesananmu" in sari.last.text


def test_a_changed_price_shows_the_new_summary_instead_of_charging(
    sari: Chat, product: Product
) -> None:
    for button in ("QRIS", "SALDO"):
        open_summary(sari, product)
        Product.objects.filter(pk=product.pk).update(customer_price=60_000)
        sari.press(button)
        assert "Harganya berubah" in sari.notice
        assert sari.callback["show_alert"]
        assert "Total: Rp60.000" in sari.last.text
        assert "QRIS" in sari.last.labels
        Product.objects.filter(pk=product.pk).update(customer_price=50_000)
    assert not Order.objects.exists()


def test_a_price_changed_before_yes_is_not_charged(sari: Chat, product: Product) -> None:
    open_summary(sari, product)
    sari.press("SALDO")
    Product.objects.filter(pk=product.pk).update(customer_price=60_000)
    sari.press("Ya")
    assert "Harganya berubah" in sari.notice
    assert not Order.objects.exists()
    assert sari.customer.account_balance == Decimal(120_000)


def test_a_free_total_is_taken_with_one_button(
    shop_bot: BotHarness, sari: Chat, world: World
) -> None:
    open_summary(sari, world.product(number=200, price=0))
    assert sari.last.labels == ["Ambil", "KEMBALI", "BATALKAN"]
    sari.press("Ambil")
    shop_bot.deliver()
    order = Order.objects.get()
    assert (order.status, order.payment_method) == (OrderStatus.PAID, PaymentMethod.FREE)
    assert "Ini pesananmu" in sari.last.text
    assert sari.customer.account_balance == Decimal(120_000)


def test_below_rp500_only_the_balance_pays(sari: Chat, world: World) -> None:
    open_summary(sari, world.product(number=200, price=499))
    assert "QRIS" not in sari.last.labels
    assert "Total di bawah Rp500 hanya bisa dibayar dengan saldo" in sari.last.text


def test_above_ten_million_qris_is_away_and_the_screen_says_why(sari: Chat, world: World) -> None:
    product = world.product(number=200, price=10_000_001)
    open_summary(sari, product)
    assert "QRIS" not in sari.last.labels
    assert "QRIS maksimal Rp10.000.000" in sari.last.text
    sari.press_path(path_to("qris", Terms(product.pk, 1, 10_000_001, 0, "ABCDEFGHJK")))
    assert "QRIS maksimal Rp10.000.000" in sari.last.text
    assert not Order.objects.exists()


def gateway_fault(shop_bot: BotHarness, kind: str, times: int) -> None:
    body = {"call": "create", "kind": kind, "times": times}
    shop_bot.driver.post("/sandbox/pakasir/api/faults/", body)


def test_gateway_down_keeps_the_order_payable_and_warns_the_next(
    shop_bot: BotHarness, sari: Chat, product: Product
) -> None:
    gateway_fault(shop_bot, "500", 100)
    open_summary(sari, product)
    sari.press("QRIS")
    shop_bot.run_jobs()
    assert "QRIS sedang tidak merespons" in sari.last.text
    assert sari.last.labels == ["🔄 Coba lagi", "SALDO", "Batalkan"]
    assert not any("Menyiapkan" in text for text in sari.texts)
    shop_bot.run_jobs()
    open_summary(sari, product)
    assert "QRIS sedang gangguan" in sari.last.text
    shop_bot.driver.delete("/sandbox/pakasir/api/faults/")
    sari.press("Coba lagi")
    assert "Dicoba lagi" in sari.notice
    GatewaySilence.objects.all().delete()  # the pause after an unanswered call is over
    shop_bot.run_jobs()
    assert sari.last.photo
    assert not any("tidak merespons" in text for text in sari.texts)
    assert Order.objects.get().status == OrderStatus.PENDING


def test_gateway_down_the_balance_pays_the_same_order(
    shop_bot: BotHarness, sari: Chat, product: Product
) -> None:
    gateway_fault(shop_bot, "500", 100)
    open_summary(sari, product)
    sari.press("QRIS")
    shop_bot.run_jobs()
    sari.press("SALDO")
    sari.press("Ya")
    shop_bot.deliver()
    assert Order.objects.get().status == OrderStatus.PAID
    assert "Ini pesananmu" in sari.last.text


class TestVouchers:
    def test_a_code_lowers_the_total_and_is_reserved_with_the_order(
        self, sari: Chat, world: World, product: Product
    ) -> None:
        voucher = world.voucher("HEMAT")
        open_summary(sari, product)
        sari.press("Gunakan Voucher")
        assert "kode voucher" in sari.last.text.lower()
        sari.send(" hemat ")
        assert "Voucher HEMAT: -Rp10.000\n💰 Total: Rp40.000" in sari.last.text
        assert not VoucherUse.objects.exists()
        sari.press("SALDO")
        sari.press("Ya")
        order = Order.objects.get()
        assert (order.voucher_discount, order.total_bill) == (Decimal(10_000), Decimal(40_000))
        assert VoucherUse.objects.get().voucher == voucher

    @pytest.mark.parametrize(
        ("fields", "answer"),
        [
            ({"is_active": False}, "tidak aktif"),
            ({"valid_from": timedelta(days=1)}, "baru bisa dipakai mulai"),
            ({"valid_until": timedelta(days=-1)}, "sudah berakhir"),
            ({"least_subtotal": Decimal(75_000)}, "minimal Rp75.000"),
            ({"total_uses": 0}, "Kuota voucher ini sudah habis"),
            ({"uses_per_customer": 0}, "sudah pernah memakai"),
            (None, "tidak dikenal"),
        ],
    )
    def test_each_refusal_has_a_message_of_its_own(
        self,
        sari: Chat,
        world: World,
        product: Product,
        fields: dict[str, Any] | None,
        answer: str,
    ) -> None:
        if fields is not None:
            moments = {k: world.now + v for k, v in fields.items() if isinstance(v, timedelta)}
            world.voucher("HEMAT", **{**fields, **moments})
        open_summary(sari, product)
        sari.press("Gunakan Voucher")
        sari.send("HEMAT")
        assert answer in sari.last.text
        sari.press("KEMBALI")
        assert "Total: Rp50.000" in sari.last.text

    def test_too_soon_after_the_last_one_and_beside_an_open_order(
        self, sari: Chat, world: World, product: Product
    ) -> None:
        voucher = world.voucher("HEMAT", uses_per_customer=None)
        world.paid(sari.customer, product, voucher=voucher, total=40_000)
        open_summary(sari, product)
        sari.press("Gunakan Voucher")
        sari.send("HEMAT")
        assert "baru saja memakai voucher" in sari.last.text
        VoucherUse.objects.all().delete()
        world.qris(sari.customer, product, voucher=voucher, total=40_000)
        sari.send("HEMAT")
        assert "masih punya pesanan dengan voucher" in sari.last.text

    def test_a_mistyped_code_may_be_typed_again(
        self, sari: Chat, world: World, product: Product
    ) -> None:
        world.voucher("HEMAT")
        open_summary(sari, product)
        sari.press("Gunakan Voucher")
        sari.send("HEMTA")
        sari.send("HEMAT")
        assert "Total: Rp40.000" in sari.last.text

    def test_a_number_that_is_no_code_but_a_product_opens_it(
        self, sari: Chat, world: World, product: Product
    ) -> None:
        open_summary(sari, product)
        sari.press("Gunakan Voucher")
        sari.send("101")
        assert "Lanjut ke pembayaran" in sari.last.labels

    def test_a_voucher_of_digits_wins_over_a_product_number(
        self, sari: Chat, world: World, product: Product
    ) -> None:
        world.voucher("101")
        open_summary(sari, product)
        sari.press("Gunakan Voucher")
        sari.send("101")
        assert "Voucher 101" in sari.last.text

    def test_a_new_action_replaces_the_question(
        self, sari: Chat, world: World, product: Product
    ) -> None:
        world.voucher("HEMAT")
        open_summary(sari, product)
        sari.press("Gunakan Voucher")
        sari.press_path("/menu")
        sari.send("HEMAT")
        assert "Bantuan" in sari.last.text

    def test_a_voucher_that_ended_after_the_summary_leads_to_one_without(
        self, sari: Chat, world: World, product: Product
    ) -> None:
        voucher = world.voucher("HEMAT")
        open_summary(sari, product)
        sari.press("Gunakan Voucher")
        sari.send("HEMAT")
        Voucher.objects.filter(pk=voucher.pk).update(is_active=False)
        sari.press("QRIS")
        assert "tidak aktif" in sari.last.text
        sari.press("KEMBALI")
        assert "Total: Rp50.000" in sari.last.text
        assert not Order.objects.exists()


def test_stock_gone_after_the_summary_is_told_and_nothing_is_charged(
    sari: Chat, world: World, product: Product
) -> None:
    open_summary(sari, product, 5)
    StockItem.objects.filter(product=product).update(state=StockState.WITHDRAWN)
    sari.press("QRIS")
    assert "baru saja habis" in sari.last.text
    assert not Order.objects.exists()


def test_a_product_off_sale_after_the_summary_explains_itself(
    sari: Chat, product: Product
) -> None:
    open_summary(sari, product)
    Product.objects.filter(pk=product.pk).update(is_active=False)
    for button in ("SALDO", "QRIS"):
        path = next((b.path for b in sari.last.buttons if b.text == button), None)
        if path is None:
            continue
        sari.press_path(path)
        assert "sudah tidak dijual" in sari.last.text
        assert "Kategori" in sari.last.labels
    assert not Order.objects.exists()


def test_too_many_open_orders_lists_them(sari: Chat, world: World, product: Product) -> None:
    orders = [world.qris(sari.customer, product).order for _ in range(3)]
    open_summary(sari, product)
    sari.press("QRIS")
    assert "3 pesanan yang belum dibayar" in sari.last.text
    assert len(sari.last.labels) == 4
    assert all(any(o.invoice_id in label for label in sari.last.labels) for o in orders if o)
    assert Order.objects.count() == 3


def test_shared_goods_go_to_many_buyers(shop_bot: BotHarness, sari: Chat, world: World) -> None:
    product = world.product(number=200, price=10_000, kind=ProductKind.SHARED)
    for _ in range(2):
        open_summary(sari, product)
        sari.press("SALDO")
        sari.press("Ya")
        shop_bot.deliver()
        assert "https://course.example/join" in sari.last.text
    assert Order.objects.paid().count() == 2
