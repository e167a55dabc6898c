"""Buying in the chat page: by QRIS and from the balance."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.chat import ChatPage
from tests.browser.chromium import both
from tests.browser.shop_data import contents_of
from tests.e2e.shop import Shop

pytestmark = pytest.mark.browser
STAFF = "QuickCart Staff"
ADMIN = "Andi Pratama"
CHEAP, PRICE = 124, 1_000


@both
def test_goods_bought_by_qris_arrive_in_the_chat(chat: ChatPage, shop: Shop) -> None:
    chat.shoot("chats")
    message = go_to_the_qr_code(chat)
    invoice = message.locator("code").first.inner_text()
    txn_id = chat.txn_id(message)
    chat.bank.open()
    chat.bank.status(txn_id, "pending")
    chat.shoot("bank")
    assert "answered 200" in chat.bank.pay(txn_id)
    chat.shoot("receipt")
    chat.bank.leave()
    goods = chat.wait_for_text("🎉")
    expect(chat.message("Scan kode QR ini")).to_have_count(0)
    delivered = contents_of(shop, invoice)
    assert len(delivered) == 2
    check_goods(chat, goods, invoice, delivered)
    chat.bank.open()
    chat.bank.status(txn_id, "completed")
    chat.bank.close()
    staff_have_heard(chat, invoice)


def go_to_the_qr_code(chat: ChatPage) -> Locator:
    """Take two of a product, step by step, to the picture of the QR code."""
    chat.new_customer()
    chat.shoot("new")
    chat.start()
    chat.shoot("started")
    chat.key("101").click()
    chat.wait_for_text("Jumlah: 1")
    chat.press("+")
    chat.wait_for_text("Jumlah: 2")
    chat.shoot("product")
    chat.press("Lanjut ke pembayaran")
    chat.wait_for_text("Ringkasan Pesanan")
    chat.shoot("summary")
    chat.press("QRIS")
    message = chat.wait_for_text("Scan kode QR ini")
    picture = message.get_by_role("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth > 200)")
    expect(chat.bank.waiting).to_be_visible()
    chat.shoot("qr")
    return message


def check_goods(chat: ChatPage, goods: Locator, invoice: str, delivered: list[str]) -> None:
    """The goods are what the shop says it delivered, and a tap copies them."""
    codes = goods.locator("code")
    assert codes.all_inner_texts() == [invoice, *delivered]
    assert "monospace" in codes.nth(1).evaluate("code => getComputedStyle(code).fontFamily")
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    codes.nth(1).click()
    expect(chat.page.get_by_text("Copied to clipboard")).to_be_visible()
    chat.shoot("goods")
    assert chat.page.evaluate("navigator.clipboard.readText()") == delivered[0]


def staff_have_heard(chat: ChatPage, invoice: str) -> None:
    """The group and the admin have unread news of the sale, until they are looked at."""
    chat.show_chats()
    for who in (STAFF, ADMIN):
        expect(chat.unread(who)).to_be_visible()
    chat.shoot("unread")
    for who in (STAFF, ADMIN):
        chat.choose(who)
        chat.wait_for_text(invoice)
        chat.show_chats()
        expect(chat.unread(who)).to_have_count(0)
    chat.choose(STAFF)
    chat.wait_for_text(invoice)
    chat.shoot("staff")


@both
def test_a_purchase_from_the_balance_lowers_it(chat: ChatPage) -> None:
    chat.choose("Budi Santoso")
    chat.start_if_new()
    before = ask_for_balance(chat)
    chat.shoot("confirm")
    goods = chat.log.locator("article", has_text="🎉")
    known = goods.count()
    chat.press("Ya")
    expect(goods).to_have_count(known + 1)
    expect(goods.last).to_contain_text("SALDO")
    chat.shoot("goods")
    assert ask_for_balance(chat) == before - PRICE


def ask_for_balance(chat: ChatPage) -> int:
    """Go on to the question whether to pay from the balance; return what it says there is."""
    chat.order(CHEAP)
    chat.press("Lanjut ke pembayaran")
    chat.wait_for_text("Ringkasan Pesanan")
    chat.press("SALDO")
    words = chat.wait_for_text("Saldo kamu: Rp").inner_text()
    found = re.search(r"Saldo kamu: Rp([\d.]+)", words)
    assert found
    return int(found[1].replace(".", ""))
