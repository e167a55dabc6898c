"""What the owner does in the back office is in the chat at once, and the other way round."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.backoffice import BackOffice
from tests.browser.chat import ChatPage
from tests.browser.chromium import Device, Shots, both
from tests.e2e.shop import Shop

pytestmark = pytest.mark.browser
NUMBERS = {"desktop": 901, "phone": 902}


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@both
def test_a_product_added_in_the_back_office_is_sold_in_the_chat(
    chat: ChatPage, page: Page, shop: Shop, shots: Shots, device: Device
) -> None:
    number = NUMBERS[device.name]
    chat.new_customer()
    chat.start()
    office = BackOffice(page, shop.url, shots).log_in()
    paid = office.orders_paid()
    office.add_product(number, f"Kartu {number}", "12.500")
    chat.say(str(number))
    chat.wait_for_text("habis")
    office.add_stock([f"kartu-{number}-satu", f"kartu-{number}-dua"])
    expect(page.get_by_text("2 items").first).to_be_visible()
    chat.order(number)
    card = chat.wait_for_text("Jumlah: 1")
    for words in ("Made in the back office.", "Rp12.500", "Stok: 2"):
        expect(card).to_contain_text(words)
    chat.shoot("card")
    invoice, content = buy(chat)
    assert content == f"kartu-{number}-satu"

    office.open_order(invoice)
    expect(page.get_by_text(f"Kartu {number}").first).to_be_visible()
    shots.take(page, "order")
    assert content not in page.content(), "goods are not in the page until they are revealed"
    assert office.orders_paid() == paid + 1
    shots.take(page, "dashboard")


def buy(chat: ChatPage) -> list[str]:
    """Buy what the newest card shows; return the invoice and the goods."""
    chat.press("Lanjut ke pembayaran")
    chat.wait_for_text("Ringkasan Pesanan")
    chat.press("QRIS")
    chat.bank.pay(chat.txn_id(chat.wait_for_text("Scan kode QR ini")))
    chat.bank.leave()
    goods = chat.wait_for_text("🎉")
    chat.shoot("goods")
    found: list[str] = goods.locator("code").all_inner_texts()
    return found
