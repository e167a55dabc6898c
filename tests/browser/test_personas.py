"""Being several people in one browser: prices, drafts, the way back."""

import pytest
from playwright.sync_api import expect

from tests.browser.chat import ChatPage
from tests.browser.chromium import Device, both, phone
from tests.browser.shop_data import set_price
from tests.e2e.shop import Shop

pytestmark = pytest.mark.browser
RESELLER = "Rina Wijaya"


@both
def test_a_reseller_and_a_customer_see_their_own_prices_and_drafts(
    chat: ChatPage, shop: Shop
) -> None:
    chat.choose(RESELLER)
    chat.start_if_new()
    chat.order(103)
    expect(chat.wait_for_text("Vidio Platinum")).to_contain_text("Rp22.000")
    chat.shoot("reseller")
    chat.box.fill("not sent by the reseller")

    chat.new_customer()
    chat.start()
    expect(chat.box).to_have_value("")
    chat.order(103)
    card = chat.wait_for_text("Vidio Platinum")
    expect(card).to_contain_text("Rp25.000")
    expect(card).not_to_contain_text("Rp22.000")
    chat.shoot("customer")

    chat.choose(RESELLER)
    expect(chat.box).to_have_value("not sent by the reseller")
    expect(chat.wait_for_text("Vidio Platinum")).to_contain_text("Rp22.000")
    chat.box.fill("")


@phone
def test_back_and_forward_of_the_browser_lead_through_the_phone(chat: ChatPage) -> None:
    page = chat.page
    chat.choose(RESELLER)
    expect(chat.chats).to_be_hidden()
    chat.bank.open()
    page.go_back()
    expect(chat.bank.panel).to_be_hidden()
    expect(chat.conversation).to_be_visible()
    page.go_back()
    expect(chat.chats).to_be_visible()
    expect(chat.conversation).to_be_hidden()
    page.go_forward()
    expect(chat.conversation).to_be_visible()
    expect(chat.chats).to_be_hidden()


def test_back_and_forward_of_the_browser_change_the_chat(chat: ChatPage, device: Device) -> None:
    chat.choose("Budi Santoso")
    chat.choose(RESELLER)
    chat.page.go_back()
    chat.wait_until_open(800_000_001)
    chat.page.go_forward()
    chat.wait_until_open(800_000_002)


def test_a_price_that_changed_meanwhile_is_told_by_an_alert(chat: ChatPage, shop: Shop) -> None:
    chat.new_customer()
    chat.start()
    chat.order(110)
    chat.press("Lanjut ke pembayaran")
    chat.wait_for_text("Ringkasan Pesanan")
    set_price(shop, 110, 61_234)
    chat.button("QRIS").click()
    alert = chat.page.get_by_role("dialog")
    expect(alert).to_be_visible()
    chat.shoot("alert")
    alert.get_by_role("button", name="OK").click()
    expect(alert).to_be_hidden()
    chat.wait_for_text("61.234")
