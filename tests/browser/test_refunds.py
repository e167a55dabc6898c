"""The owner refunds an order and changes the formula, on a laptop and on a phone."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.backoffice import BackOffice
from tests.browser.chromium import Device, Shots, both
from tests.e2e.shop import Shop

pytestmark = pytest.mark.browser


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def no_wider_than_the_screen(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@both
def test_an_order_is_refunded(page: Page, shop: Shop, shots: Shots, device: Device) -> None:
    office = BackOffice(page, shop.url, shots).log_in()
    page.goto(f"{office.url}orders/order/?status__exact=paid")
    orders = page.locator("#result_list").get_by_role("link", name=re.compile("^TRX"))
    orders.nth(3 if device.is_phone else 0).click()  # each device refunds one of its own
    page.get_by_role("link", name="Refund", exact=True).first.click()
    expect(page.get_by_text("How the figure comes about")).to_be_visible()
    assert no_wider_than_the_screen(page)
    shots.take(page, "quote")
    page.get_by_text("Paid outside the shop").click()
    refund = page.get_by_role("button", name=re.compile("^Refund Rp"))
    refund.click()
    expect(page.get_by_text("Write in a few words how it was paid.")).to_be_visible()
    shots.take(page, "note-needed")
    page.get_by_label("Note").fill(f"BCA, {device.name}")
    refund.click()
    expect(page.get_by_text(re.compile("recorded as paid outside the shop"))).to_be_visible()
    expect(page.get_by_role("heading", name="Refunds", exact=True)).to_be_visible()
    shots.take(page, "order")
    page.goto(f"{office.url}orders/refund/")
    assert no_wider_than_the_screen(page)
    shots.take(page, "refunds")


@both
def test_the_formula_is_previewed_and_saved(
    page: Page, shop: Shop, shots: Shots, device: Device
) -> None:
    office = BackOffice(page, shop.url, shots).log_in()
    page.goto(f"{office.url}orders/refundpolicy/add/")
    field = page.get_by_label("Formula")
    field.fill("20|1:0.9|1:0.6")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("begin with 0:, not “1:0.9”")).to_be_visible()
    period = "20" if device.is_phone else "25"
    field.fill(f"{period}|0:0.9,7:0.8|1:0.6,3:0.5,4:0.4")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text(f"{period} days").first).to_be_visible()
    assert no_wider_than_the_screen(page)
    shots.take(page, "preview")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("counts for every quote from now on").first).to_be_visible()
    shots.take(page, "formulas")
