"""After the order: delivery, history, expiry, money that came another way, what staff hear."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import StaffChat
from accounts.services.customers import set_role
from catalog.models import Product, ProductKind
from core.models import OutboxMessage, OutboxState
from orders.models import Order, OrderStatus
from payments.models import Case, CaseKind, Payment
from payments.services.expiry import expire_order
from telegram_bot.lengths import utf16_length
from telegram_bot.shortcuts import path_to
from tests.bot.flows import (
    buy_from_balance,
    open_summary,
    path_of,
    pay,
    settle_stand_ins,
)
from tests.bot.harness import BotHarness, Chat
from tests.world import World

NASTY = "user</code><b>&amp; 🎬 سلام\nline two:p@ss&word"


@pytest.fixture(autouse=True)
def _stand_ins(settings: Any) -> None:
    settle_stand_ins(settings)


@pytest.fixture
def sari(shop_bot: BotHarness, world: World) -> Chat:
    return shop_bot.chat_of(world.customer(balance=500_000))


def open_qr(shop_bot: BotHarness, chat: Chat, product: Product) -> Payment:
    open_summary(chat, product)
    chat.press("QRIS")
    shop_bot.run_jobs()
    return Payment.objects.latest("pk")


def expire(shop_bot: BotHarness, order: Order) -> None:
    """Let the sweep come until the order has ended."""
    now = order.expires_at + timedelta(minutes=1)
    for step in range(5):
        expire_order(order_id=order.pk, now=now + timedelta(seconds=30 * step))
    shop_bot.deliver()


class TestDelivery:
    def test_contents_arrive_intact_one_by_one(
        self, shop_bot: BotHarness, sari: Chat, world: World
    ) -> None:
        product = world.product(name="A & <B>", price=10_000, stock=[NASTY, "second:item"])
        buy_from_balance(shop_bot, sari, product, 2)
        order = Order.objects.get()
        assert NASTY in sari.last.text
        assert "<code>second:item</code>" in sari.last.html
        for part in (order.invoice_id, "2 × A & <B>", "Total: Rp20.000 (SALDO)"):
            assert part in sari.last.text
        assert order.delivered_at

    def test_longer_than_a_message_comes_as_a_text_file(
        self, shop_bot: BotHarness, sari: Chat, world: World
    ) -> None:
        content = "🎬<&>é" * 1_000
        product = world.product(price=10_000, stock=[content])
        buy_from_balance(shop_bot, sari, product)
        note, file = sari.messages[-2:]
        assert "Barang kamu ada di file" in note.text
        assert file.file_name == f"{Order.objects.get().invoice_id}.txt"
        assert sari.file(file).decode() == content

    @pytest.mark.parametrize("content", ["tab\there", "two\r\nlines", "right\u202eleft"])
    def test_what_telegram_would_alter_comes_as_a_text_file(
        self, shop_bot: BotHarness, sari: Chat, world: World, content: str
    ) -> None:
        product = world.product(price=10_000, stock=[content])
        buy_from_balance(shop_bot, sari, product)
        assert sari.file(sari.last).decode() == content

    def test_many_items_that_fill_a_message_stay_below_its_limit(
        self, shop_bot: BotHarness, sari: Chat, world: World
    ) -> None:
        contents = [f"{number:03d}" + "🎬" * 72 for number in range(20)]
        product = world.product(price=1_000, name="🎬" * 255, stock=contents)
        buy_from_balance(shop_bot, sari, product, 20)
        assert utf16_length(sari.last.text) <= 4096
        assert all(content in sari.last.text for content in contents)
        assert not sari.last.document

    def test_file_goods_arrive_as_a_document(
        self, shop_bot: BotHarness, sari: Chat, world: World
    ) -> None:
        buy_from_balance(shop_bot, sari, world.product(kind=ProductKind.FILE))
        assert sari.last.file_name == "course.pdf"
        assert sari.file(sari.last) == b"PDF of the course"

    def test_the_goods_stay_when_their_menu_button_is_pressed(
        self, shop_bot: BotHarness, sari: Chat, world: World
    ) -> None:
        buy_from_balance(shop_bot, sari, world.product(stock=["keep:me"]))
        sari.press("Menu")
        assert "keep:me" in sari.messages[-2].text
        assert sari.last.labels[0] == "Kategori"


class TestHistory:
    def test_newest_first_page_by_page_with_their_states(
        self, shop_bot: BotHarness, sari: Chat, world: World
    ) -> None:
        product = world.product(name="Netflix", price=1_000, stock=20)
        orders = [world.paid(sari.customer, product) for _ in range(9)]
        sari.send("RIWAYAT TRANSAKSI")
        assert orders[-1].invoice_id in sari.last.labels[0]
        assert sari.last.labels[-2:] == ["KEMBALI", "SELANJUTNYA 1/2"]
        assert "lunas" in sari.last.text
        sari.press("SELANJUTNYA")
        assert orders[0].invoice_id in sari.last.labels[0]

    def test_an_order_shows_its_goods_again(
        self, shop_bot: BotHarness, sari: Chat, world: World
    ) -> None:
        world.paid(sari.customer, world.product(stock=["again:me"]))
        sari.send("/start")
        sari.press("Riwayat Transaksi")
        sari.press("TRX")
        assert "<code>again:me</code>" in sari.last.html
        sari.press("KEMBALI")
        assert "Riwayat Transaksi" in sari.last.text

    def test_a_file_is_sent_again_by_its_button(
        self, shop_bot: BotHarness, sari: Chat, world: World
    ) -> None:
        order = world.paid(sari.customer, world.product(kind=ProductKind.FILE))
        sari.send("/start")
        sari.press_path(path_to("order", order.pk))
        assert not sari.last.document
        sari.press("Tampilkan barang")
        assert sari.file(sari.last) == b"PDF of the course"

    def test_an_order_of_someone_else_is_as_unknown_as_none(
        self, shop_bot: BotHarness, sari: Chat, world: World
    ) -> None:
        foreign = world.paid(world.customer(balance=100_000), world.product(stock=["secret:x"]))
        pending = world.qris(world.customer(), world.product()).order
        assert pending is not None
        sari.send("/start")
        answers = set()
        for pk in (foreign.pk, pending.pk, 2**63 - 1):
            for name in (
                "order", "goods", "payment_status", "cancel_order", "retry_payment",
                "order_balance", "pay_order",
            ):  # fmt: skip
                sari.press_path(path_to(name, pk))
                answers.add(sari.last.text)
        assert len(answers) == 1
        assert "tidak ditemukan" in answers.pop()
        pending.refresh_from_db()
        assert pending.status == OrderStatus.PENDING

    def test_goods_of_an_unpaid_order_are_not_shown(
        self, shop_bot: BotHarness, sari: Chat, world: World
    ) -> None:
        order = world.qris(sari.customer, world.product(stock=["secret:x"])).order
        assert order is not None
        sari.send("/start")
        sari.press_path(path_to("goods", order.pk))
        assert "secret:x" not in sari.last.text
        assert "tidak ditemukan" in sari.last.text


class TestExpiry:
    def test_the_qr_goes_and_one_button_is_left(
        self, shop_bot: BotHarness, sari: Chat, world: World
    ) -> None:
        payment = open_qr(shop_bot, sari, world.product())
        qr = sari.last
        expire(shop_bot, Order.objects.get())
        assert Order.objects.get().status == OrderStatus.EXPIRED
        assert qr.id not in {message.id for message in sari.messages}
        assert "sudah kedaluwarsa" in sari.last.text
        assert "telanjur bayar" in sari.last.text
        assert sari.last.labels == ["Kembali"]
        sari.press_path(path_to("payment_status", payment.order_id))
        assert "sudah kedaluwarsa" in sari.last.text

    @pytest.mark.parametrize("label", ["Status Pembayaran", "Batalkan"])
    def test_old_buttons_of_an_expired_qr_explain_themselves(
        self, shop_bot: BotHarness, sari: Chat, world: World, label: str
    ) -> None:
        open_qr(shop_bot, sari, world.product())
        path = path_of(sari, label)
        expire(shop_bot, Order.objects.get())
        sari.press_path(path)
        assert "sudah kedaluwarsa" in sari.last.text
        assert Order.objects.get().status == OrderStatus.EXPIRED

    def test_late_money_still_brings_the_goods(
        self, shop_bot: BotHarness, sari: Chat, world: World
    ) -> None:
        payment = open_qr(shop_bot, sari, world.product(stock=["late:goods"]))
        expire(shop_bot, Order.objects.get())
        pay(shop_bot, payment)
        assert Order.objects.get().status == OrderStatus.PAID
        assert "late:goods" in sari.last.text

    def test_late_money_without_stock_is_credited_and_told(
        self, shop_bot: BotHarness, sari: Chat, world: World
    ) -> None:
        product = world.product(stock=1)
        payment = open_qr(shop_bot, sari, product)
        expire(shop_bot, Order.objects.get())
        world.paid(world.customer(balance=100_000), product)
        pay(shop_bot, payment)
        assert "Rp50.000 masuk ke saldo kamu" in sari.last.text
        assert "setelah invoice-nya berakhir" in sari.last.text
        assert sari.customer.account_balance == Decimal(550_000)


def test_a_second_payment_is_credited_and_told(
    shop_bot: BotHarness, sari: Chat, world: World
) -> None:
    payment = open_qr(shop_bot, sari, world.product())
    sari.press_path(path_to("order_balance", payment.order_id))
    sari.press("Ya")
    shop_bot.deliver()
    pay(shop_bot, payment)
    assert "ini pembayaran kedua" in sari.last.text
    assert sari.customer.account_balance == Decimal(500_000)


def test_another_amount_is_credited_and_the_order_can_still_be_paid(
    shop_bot: BotHarness, sari: Chat, world: World
) -> None:
    payment = open_qr(shop_bot, sari, world.product())
    pay(shop_bot, payment, amount=20_000)
    assert "Rp20.000 masuk ke saldo kamu" in sari.last.text
    assert "tidak sama dengan tagihannya, Rp50.000" in sari.last.text
    sari.press_path(path_to("order", payment.order_id))
    assert "belum lunas" in sari.last.text
    assert sari.last.labels == ["🔄 Coba lagi", "SALDO", "Batalkan"]
    assert Order.objects.get().status == OrderStatus.PENDING


def test_a_payment_that_is_being_processed_says_so(
    shop_bot: BotHarness, sari: Chat, world: World
) -> None:
    payment = open_qr(shop_bot, sari, world.product())
    Payment.objects.update(
        status="completed", completed_at=world.now, received_amount=payment.amount
    )
    sari.press_path(path_to("order", payment.order_id))
    assert "sudah masuk dan sedang diproses" in sari.last.text


def test_a_qr_that_is_no_longer_payable_is_never_sent(
    shop_bot: BotHarness, sari: Chat, world: World
) -> None:
    open_summary(sari, world.product())
    sari.press("QRIS")
    payment = Payment.objects.get()
    from payments import jobs

    jobs.open_payment(payment.pk)
    sari.press("Batalkan")
    shop_bot.deliver()
    assert not any(message.photo for message in sari.messages)
    assert OutboxMessage.objects.get(kind="payment_qr").state == OutboxState.DROPPED


class TestStaff:
    @pytest.fixture
    def staff(self, shop_bot: BotHarness, world: World) -> Chat:
        return shop_bot.staff_group(shop_bot.person("Admin"))

    def test_a_paid_order_is_told_without_its_goods(
        self, shop_bot: BotHarness, sari: Chat, staff: Chat, world: World
    ) -> None:
        buy_from_balance(shop_bot, sari, world.product(name="Netflix", stock=["secret:x"]))
        text = staff.last.text
        for part in ("Pesanan baru lunas", "Netflix", "Rp50.000 (SALDO)", str(sari.user_id)):
            assert part in text
        assert "secret:x" not in text

    def test_an_admin_hears_it_in_private_in_their_own_language(
        self, shop_bot: BotHarness, sari: Chat, world: World
    ) -> None:
        admin = shop_bot.chat_of(world.customer(name="Boss", is_admin=True, language="en"))
        buy_from_balance(shop_bot, sari, world.product())
        assert "New paid order" in admin.last.text

    def test_expired_credited_and_cases_are_told(
        self, shop_bot: BotHarness, sari: Chat, staff: Chat, world: World
    ) -> None:
        product = world.product()
        payment = open_qr(shop_bot, sari, product)
        expire(shop_bot, Order.objects.get())
        assert "kedaluwarsa tanpa dibayar" in staff.last.text
        pay(shop_bot, payment, amount=20_000)
        texts = "\n".join(staff.texts)
        assert "Pembayaran masuk ke saldo" in texts
        assert "Jumlah: Rp20.000" in texts
        assert "Jumlah yang dibayar berbeda dari invoice." in texts
        assert "Rp50.000 → Rp20.000" in texts
        assert Case.objects.get().kind == CaseKind.AMOUNT_DIFFERS

    def test_a_case_without_an_order_is_told(
        self, shop_bot: BotHarness, staff: Chat, world: World
    ) -> None:
        case = Case.objects.create(
            kind=CaseKind.UNMATCHED_EVENT, key="event:1", opened_at=world.now
        )
        OutboxMessage.objects.create(
            kind="staff_case", references={"case_id": case.pk}, priority=10, dedupe_key="case"
        )
        shop_bot.deliver()
        assert "tidak cocok dengan milik kita" in staff.last.text


def test_a_banned_customer_gets_the_goods_they_paid_and_nothing_else(
    shop_bot: BotHarness, sari: Chat, world: World
) -> None:
    payment = open_qr(shop_bot, sari, world.product(stock=["paid:for"]))
    status = path_of(sari, "Status Pembayaran")
    set_role(
        customer_id=sari.user_id,
        role="is_banned",
        value=True,
        actor="test",
        source="test",
        now=world.now,
    )
    for action in ("/start", "halo", "101"):
        sari.send(action)
        assert "Akunmu diblokir" in sari.last.text
        assert not sari.last.buttons
    sari.press_path(status)
    assert "Akunmu diblokir" in sari.last.text
    pay(shop_bot, payment)
    assert "paid:for" in sari.last.text
    assert not StaffChat.objects.exists()
