"""Invoices that end, money that comes late, webhooks that come twice or never."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.chat import ChatPage
from tests.browser.chromium import both
from tests.browser.shop_data import let_expire
from tests.e2e.shop import Shop

pytestmark = pytest.mark.browser
POLLED_WITHIN_MS = 90_000


def invoice_of(message: Locator) -> str:
    return message.locator("code").first.inner_text()


def expect_goods_once(chat: ChatPage, invoice: str) -> None:
    goods = chat.log.locator("article", has_text="🎉").filter(has_text=invoice)
    expect(goods).to_have_count(1)
    expect(goods.locator("code")).to_have_count(2)


@both
def test_an_expired_invoice_says_so_and_its_old_qr_code_still_buys(
    chat: ChatPage, shop: Shop
) -> None:
    chat.new_customer()
    chat.start()
    txn_id = chat.ask_for_qr(105)
    invoice = invoice_of(chat.message("Scan kode QR ini"))
    let_expire(shop, invoice)
    expired = chat.wait_for_text("Invoice ini sudah kedaluwarsa")
    expect(expired).to_contain_text(invoice)
    expect(chat.message("Scan kode QR ini")).to_have_count(0)
    assert expired.locator(".keyboard button").all_inner_texts() == ["Kembali"]
    chat.shoot("expired")

    chat.bank.open()
    chat.bank.status(txn_id, "canceled")
    expect(chat.bank.panel.get_by_role("heading", name="Old QR codes")).to_be_visible()
    chat.bank.entry(txn_id).scroll_into_view_if_needed()
    chat.shoot("old")
    chat.bank.pay(txn_id, "Pay an old QR too")
    chat.bank.leave()
    chat.wait_for_text("🎉")
    chat.shoot("goods")
    expect_goods_once(chat, invoice)


@both
def test_what_the_bank_was_told_to_pay_late_is_paid_once_the_order_is_cancelled(
    chat: ChatPage,
) -> None:
    chat.new_customer()
    chat.start()
    txn_id = chat.ask_for_qr(105)
    invoice = invoice_of(chat.message("Scan kode QR ini"))
    chat.bank.press(txn_id, "Pay late")
    expect(chat.bank.entry(txn_id)).to_contain_text("Pays itself once the invoice has ended")
    chat.shoot("waits")
    chat.bank.close()
    chat.press("Batalkan")
    chat.wait_for_text("Pesananmu dibatalkan")
    chat.wait_for_text("🎉")
    chat.shoot("goods")
    expect_goods_once(chat, invoice)


def test_a_webhook_that_comes_twice_delivers_once(chat: ChatPage) -> None:
    chat.new_customer()
    chat.start()
    txn_id = chat.ask_for_qr(105)
    invoice = invoice_of(chat.message("Scan kode QR ini"))
    assert "called 2 times and answered 200 and 200" in chat.bank.pay(txn_id, "Webhook twice")
    chat.shoot("receipt")
    chat.wait_for_text("🎉")
    # What a second delivery would have brought is there before the answer to a later message.
    chat.say("105")
    chat.wait_for_text("Jumlah: 1")
    expect_goods_once(chat, invoice)


def test_a_lost_webhook_is_made_up_for_by_asking_the_bank(chat: ChatPage) -> None:
    chat.new_customer()
    chat.start()
    txn_id = chat.ask_for_qr(105)
    invoice = invoice_of(chat.message("Scan kode QR ini"))
    assert "its webhook got lost" in chat.bank.pay(txn_id, "Lose the webhook")
    chat.shoot("receipt")
    chat.wait_for_text("🎉", timeout=POLLED_WITHIN_MS)
    expect_goods_once(chat, invoice)
