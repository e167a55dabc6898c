"""Faults switched on in the page are met by the shop, used up, and seen in the calls."""

import pytest
from playwright.sync_api import expect

from tests.browser.chat import ChatPage

pytestmark = pytest.mark.browser


def test_a_fault_is_used_up_and_the_shop_copes(chat: ChatPage) -> None:
    page = chat.page
    chat.new_customer()
    chat.start()
    txn_id = chat.ask_for_qr(105)
    page.get_by_role("button", name="Inspector", exact=True).click()
    inspector = page.get_by_role("complementary", name="Inspector")
    inspector.get_by_role("tab", name="Faults").click()
    fault = inspector.get_by_role("switch", name="Too many requests: the next 3 messages")
    fault.check()
    expect(inspector).to_contain_text("3 to come")
    chat.shoot("switched-on")
    chat.bank.pay(txn_id)
    page.get_by_role("button", name="Inspector", exact=True).click()
    chat.wait_for_text("🎉", timeout=40_000)
    expect(chat.log.locator("article", has_text="🎉")).to_have_count(1)
    expect(fault).not_to_be_checked()
    inspector.get_by_role("tab", name="Bot API").click()
    failed = inspector.get_by_role("listitem").filter(has_text="429")
    expect(failed.first).to_contain_text("sendMessage")
    chat.shoot("calls")
    chat.order(105)
    chat.press("+")
    chat.wait_for_text("Jumlah: 2")
