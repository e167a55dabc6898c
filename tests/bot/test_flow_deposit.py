"""Topping up the balance in the chat, and coming back to what one wanted to buy."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts.services.staff_balance import correct_balance, transfer_to_balance
from catalog.models import Product
from core.models import StoreSettings
from orders.models import Order, OrderStatus
from payments.models import Payment, PaymentStatus
from payments.services.expiry import expire_deposit
from payments.services.manual import mark_paid_by_hand
from telegram_bot.paths import MOST_ID, WayBack, WayBackConverter
from telegram_bot.shortcuts import path_to
from tests.bot.flows import open_summary, path_of, pay, settle_stand_ins
from tests.bot.harness import BotHarness, Chat
from tests.world import World

LARGEST = WayBack(MOST_ID, 9_999, MOST_ID)


@pytest.fixture(autouse=True)
def _stand_ins(settings: Any) -> None:
    settle_stand_ins(settings)


@pytest.fixture
def product(world: World) -> Product:
    return world.product(number=101, name="Netflix", price=50_000, stock=5)


@pytest.fixture
def sari(shop_bot: BotHarness, world: World) -> Chat:
    chat = shop_bot.chat_of(world.customer(balance=19_000))
    chat.send("/start")
    return chat


def deposit(chat: Chat, label: str = "Rp50.000") -> Payment:
    chat.press_path(path_to("deposit", WayBack()))
    chat.press(label)
    return Payment.objects.get()


def qr_of(shop_bot: BotHarness, chat: Chat) -> Payment:
    payment = deposit(chat)
    shop_bot.run_jobs()
    payment.refresh_from_db()
    return payment


def ids(chat: Chat) -> set[int]:
    return {message.id for message in chat.messages}


def test_presets_and_another_amount_are_offered(sari: Chat) -> None:
    sari.press_path(path_to("deposit", WayBack()))
    assert "Saldo kamu: Rp19.000" in sari.last.text
    assert "Dari Rp10.000 sampai Rp5.000.000" in sari.last.text
    presets = ["Rp10.000", "Rp25.000", "Rp50.000", "Rp100.000", "Rp250.000", "Rp500.000"]
    assert sari.last.labels == [*presets, "Jumlah lain", "🏠 Menu"]
    assert not Payment.objects.exists()


def test_a_preset_brings_the_qr_with_what_is_paid_and_what_is_credited(
    shop_bot: BotHarness, sari: Chat
) -> None:
    payment = deposit(sari)
    preparing = sari.last
    assert "Menyiapkan kode QR" in preparing.text
    assert (payment.chat_id, payment.message_id) == (sari.id, preparing.id)
    shop_bot.run_jobs()
    payment.refresh_from_db()
    qr = sari.last
    assert qr.photo
    assert "Bayar Rp50.660, saldo +Rp50.000" in qr.text
    assert qr.labels == ["Checkout Page", "Status Pembayaran", "Batalkan"]
    assert f"/{payment.txn_id}?qris_only=1" in qr.buttons[0].url
    assert preparing.id not in ids(sari)
    assert payment.message_id == qr.id


def test_paid_it_is_credited_and_one_button_leads_to_the_menu(
    shop_bot: BotHarness, sari: Chat
) -> None:
    payment = qr_of(shop_bot, sari)
    qr = sari.last
    pay(shop_bot, payment)
    assert "Rp50.000 masuk ke saldo kamu" in sari.last.text
    assert "Saldo kamu: Rp69.000" in sari.last.text
    assert sari.last.labels == ["🏠 Menu"]
    assert qr.id not in ids(sari)
    credited = sari.last
    sari.press("Menu")
    assert sari.last.labels[0] == "Kategori"
    assert credited.id in ids(sari)


def test_staff_hear_of_it(shop_bot: BotHarness, sari: Chat) -> None:
    boss = shop_bot.person("Boss")
    boss.send("/start")
    group = shop_bot.staff_group(boss)
    pay(shop_bot, qr_of(shop_bot, sari))
    assert "Deposit baru" in group.last.text
    assert "Jumlah: Rp50.000" in group.last.text


@pytest.mark.parametrize("typed", ["75000", "75.000", "Rp 75.000"])
def test_a_typed_amount_begins_a_deposit(shop_bot: BotHarness, sari: Chat, typed: str) -> None:
    sari.press_path(path_to("deposit", WayBack()))
    sari.press("Jumlah lain")
    assert "Kirim jumlah depositmu" in sari.last.text
    sari.send(typed)
    assert Payment.objects.get().amount == 75_000
    shop_bot.run_jobs()
    assert "saldo +Rp75.000" in sari.last.text


@pytest.mark.parametrize("typed", ["banyak", "9.999", "5.000.001", "-50.000", "10.000,50"])
def test_an_amount_that_is_none_is_refused_and_may_be_typed_again(sari: Chat, typed: str) -> None:
    sari.press_path(path_to("deposit_other", WayBack()))
    sari.send(typed)
    assert "Deposit dari Rp10.000 sampai Rp5.000.000" in sari.last.text
    assert not Payment.objects.exists()
    sari.send("75.000")
    assert Payment.objects.get().amount == 75_000


def test_a_number_that_is_no_amount_but_a_product_opens_the_product(
    sari: Chat, product: Product
) -> None:
    sari.press_path(path_to("deposit_other", WayBack()))
    sari.send("101")
    assert "Netflix" in sari.last.text
    assert not Payment.objects.exists()


def test_a_double_tap_is_one_deposit_in_its_true_state(shop_bot: BotHarness, sari: Chat) -> None:
    sari.press_path(path_to("deposit", WayBack()))
    button = path_of(sari, "Rp50.000")
    sari.press_path(button)
    sari.press_path(button)
    assert "Menyiapkan kode QR" in sari.last.text
    shop_bot.run_jobs()
    sari.press_path(button)
    assert "Menunggu depositmu" in sari.last.text
    payment = Payment.objects.get()
    pay(shop_bot, payment)
    sari.press_path(button)
    assert "Depositmu Rp50.000 sudah masuk ke saldo" in sari.last.text
    assert Payment.objects.count() == 1


def test_the_status_button_tells_and_settles(shop_bot: BotHarness, sari: Chat) -> None:
    payment = deposit(sari)
    sari.press("Status Pembayaran")
    assert "masih dibuat" in sari.notice
    shop_bot.run_jobs()
    sari.press("Status Pembayaran")
    assert "Belum ada pembayaran masuk" in sari.notice
    shop_bot.pay(payment, webhook=False)
    Payment.objects.update(last_checked_at=payment.created_at - timedelta(minutes=1))
    sari.press("Status Pembayaran")
    assert "Saldomu sedang diisi" in sari.notice
    assert sari.customer.account_balance == 69_000


def test_cancelled_its_qr_goes_and_the_menu_is_offered(shop_bot: BotHarness, sari: Chat) -> None:
    payment = qr_of(shop_bot, sari)
    qr = sari.last
    sari.press("Batalkan")
    shop_bot.deliver()
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.CANCELLED
    assert qr.id not in ids(sari)
    assert "Deposit ini sudah dibatalkan" in sari.last.text
    assert sari.last.labels == ["🏠 Menu"]


def test_expired_its_qr_goes_and_it_is_said(shop_bot: BotHarness, sari: Chat) -> None:
    payment = qr_of(shop_bot, sari)
    qr = sari.last
    for step in range(4):
        moment = timezone.now() + timedelta(minutes=11, seconds=30 * step)
        expire_deposit(payment_id=payment.pk, now=moment)
    shop_bot.deliver()
    assert qr.id not in ids(sari)
    assert "Deposit ini sudah kedaluwarsa" in sari.last.text
    assert sari.last.labels == ["Kembali"]
    for name in ("show_deposit", "deposit_status", "cancel_deposit", "retry_deposit"):
        sari.press_path(path_to(name, payment.pk))
        assert "Deposit ini sudah kedaluwarsa" in sari.last.text


def test_without_the_gateway_it_says_so_and_can_be_tried_again(
    shop_bot: BotHarness, sari: Chat
) -> None:
    fault = {"call": "create", "kind": "500", "times": 100}
    shop_bot.driver.post("/sandbox/pakasir/api/faults/", fault)
    payment = deposit(sari)
    shop_bot.run_jobs()
    assert "QRIS sedang tidak merespons" in sari.last.text
    assert sari.last.labels == ["🔄 Coba lagi", "Batalkan"]
    shop_bot.driver.delete("/sandbox/pakasir/api/faults/")
    sari.press("Coba lagi")
    assert "Kode QR" in sari.notice
    Payment.objects.update(attempts=0)
    shop_bot.run_jobs()
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.PENDING


@pytest.mark.parametrize("name", ["show_deposit", "deposit_status", "cancel_deposit"])
def test_the_deposit_of_another_is_not_found(
    shop_bot: BotHarness, sari: Chat, world: World, name: str
) -> None:
    payment = qr_of(shop_bot, sari)
    budi = shop_bot.person("Budi")
    budi.send("/start")
    budi.press_path(path_to(name, payment.pk))
    assert "Deposit ini tidak ketemu" in budi.last.text
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.PENDING


class TestComingFromASummary:
    def too_little(self, sari: Chat, product: Product) -> None:
        open_summary(sari, product)
        sari.press("SALDO")
        assert "Kurang: Rp31.000" in sari.last.text
        assert sari.last.labels == ["Deposit", "KEMBALI"]
        sari.press("Deposit")

    def test_what_is_missing_comes_first(self, sari: Chat, product: Product) -> None:
        self.too_little(sari, product)
        assert sari.last.labels[0] == "Kekurangannya: Rp31.000"
        sari.press("KEMBALI")
        assert "Ringkasan" in sari.last.text

    def test_less_than_the_least_deposit_is_rounded_up_to_it(
        self, sari: Chat, world: World
    ) -> None:
        product = world.product(number=102, price=20_000)
        sari.press_path(path_to("deposit", WayBack(product.pk, 1, 0)))
        assert sari.last.labels[0] == "Kekurangannya: Rp10.000"

    def test_more_than_the_most_deposit_is_not_offered(self, sari: Chat, product: Product) -> None:
        StoreSettings.objects.create(pk=1, deposit_most=30_000, deposit_presets=[30_000])
        sari.press_path(path_to("deposit", WayBack(product.pk, 1, 0)))
        assert sari.last.labels == ["Rp30.000", "Jumlah lain", "KEMBALI"]

    def test_once_credited_one_button_leads_back_to_it_priced_anew(
        self, shop_bot: BotHarness, sari: Chat, product: Product
    ) -> None:
        self.too_little(sari, product)
        sari.press("Kekurangannya")
        shop_bot.run_jobs()
        pay(shop_bot, Payment.objects.get())
        assert sari.last.labels == ["Kembali ke ringkasan pesanan"]
        Product.objects.filter(pk=product.pk).update(customer_price=45_000)
        sari.press("Kembali ke ringkasan")
        assert "Total: Rp45.000" in sari.last.text
        sari.press("SALDO")
        sari.press("Ya")
        assert Order.objects.get().status == OrderStatus.PAID
        assert sari.customer.account_balance == 5_000

    def test_a_placed_order_is_led_back_to_as_well(
        self, shop_bot: BotHarness, sari: Chat, product: Product
    ) -> None:
        open_summary(sari, product)
        sari.press("QRIS")
        order = Order.objects.get()
        sari.press_path(path_to("order_balance", order.pk))
        sari.press("Deposit")
        sari.press("Kekurangannya: Rp31.000")
        shop_bot.run_jobs()
        pay(shop_bot, Payment.objects.get(order=None))
        sari.press("Kembali ke pesanan")
        assert order.invoice_id in sari.last.text

    def test_forgotten_it_leads_to_the_menu(
        self, shop_bot: BotHarness, sari: Chat, product: Product
    ) -> None:
        self.too_little(sari, product)
        sari.press("Kekurangannya")
        cache.clear()
        shop_bot.run_jobs()
        pay(shop_bot, Payment.objects.get())
        assert sari.last.labels == ["🏠 Menu"]


@pytest.mark.parametrize("back", [WayBack(), WayBack(order_id=MOST_ID), WayBack(7, 3, 0), LARGEST])
def test_a_way_back_is_read_back(back: WayBack) -> None:
    assert WayBackConverter().to_python(WayBackConverter().to_url(back)) == back


def test_a_deposit_button_fits_64_bytes_with_the_largest_ids() -> None:
    path = path_to("start_deposit", LARGEST, 10_000_000, "ZZZZZZZZZZ")
    assert len(path.encode()) <= 64


@pytest.mark.parametrize(
    "path",
    [
        "deposit/ozzzzzzzzzzzzz",
        "deposit/m/99999999999999999999/ABCDEFGHIJ",
        "deposit/x",
        "deposit/m/5/abc",
    ],
)
def test_a_forged_button_is_answered(sari: Chat, path: str) -> None:
    sari.press_path(path)
    assert not Payment.objects.exists()


def test_a_forged_amount_is_refused(sari: Chat) -> None:
    sari.press_path(path_to("start_deposit", WayBack(), 5, "ABCDEFGHIJ"))
    assert "Deposit dari Rp10.000" in sari.last.text
    assert not Payment.objects.exists()


def test_who_lets_orders_expire_is_told_until_when_and_may_pay_from_the_balance(
    shop_bot: BotHarness, sari: Chat, product: Product
) -> None:
    ended_at = timezone.now() - timedelta(minutes=1)
    for _ in range(3):
        open_summary(sari, product)
        sari.press("QRIS")
        Payment.objects.update(status=PaymentStatus.EXPIRED, ended_at=ended_at, txn_id=None)
        Order.objects.update(status=OrderStatus.EXPIRED, ended_at=ended_at)
    open_summary(sari, product)
    sari.press("QRIS")
    assert "istirahat sebentar" in sari.last.text
    assert "WIB" in sari.last.text
    assert sari.last.labels == ["KEMBALI", "🏠 Menu"]
    assert Order.objects.count() == 3
    sari.press("KEMBALI")
    assert "SALDO" in sari.last.labels


def test_a_change_by_staff_is_told(shop_bot: BotHarness, sari: Chat) -> None:
    signature: dict[str, Any] = {"actor": "x", "source": "x", "now": timezone.now()}
    transfer_to_balance(customer_id=sari.id, amount=Decimal(1_000), key="a", **signature)
    shop_bot.deliver()
    assert "Rp1.000 masuk ke saldo kamu" in sari.last.text
    assert "Saldo kamu: Rp20.000" in sari.last.text
    correct_balance(customer_id=sari.id, balance=Decimal(5_000), key="b", **signature)
    shop_bot.deliver()
    assert "Tim kami sudah mengoreksi saldo kamu" in sari.last.text
    assert "Saldo kamu: Rp5.000" in sari.last.text


def test_an_order_paid_by_hand_is_delivered_and_later_money_is_looked_into(
    shop_bot: BotHarness, sari: Chat, product: Product
) -> None:
    open_summary(sari, product)
    sari.press("QRIS")
    shop_bot.run_jobs()
    payment = Payment.objects.get()
    mark_paid_by_hand(
        order_id=payment.order_id, reason="Cash", actor="x", source="x", now=timezone.now()
    )
    shop_bot.deliver()
    assert "dicatat oleh tim kami" in sari.last.text
    pay(shop_bot, payment)
    assert "Pembayaranmu Rp50.000 sudah masuk" in sari.last.text
    assert "sudah lebih dulu ditandai lunas" in sari.last.text
