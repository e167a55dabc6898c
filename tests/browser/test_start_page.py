"""The start page, where everybody begins."""

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.chromium import Shots, both
from tests.browser.watch import Watch
from tests.e2e.shop import Shop

pytestmark = pytest.mark.browser


@both
def test_the_start_page_leads_everywhere(
    context: BrowserContext, watch: Watch, shop: Shop, shots: Shots
) -> None:
    page = context.new_page()
    page.goto(shop.url)
    cards = page.get_by_role("navigation", name="Where to go")
    expect(page.get_by_role("status")).to_contain_text("Every part of the shop is up")
    shots.take(page, "start")
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(wide), "the page is wider than the screen"

    cards.get_by_role("link", name="Open the chat").click()
    expect(page.get_by_role("navigation", name="Chats")).to_be_visible()
    page.go_back()
    cards.get_by_role("link", name="Open the back office").click()
    expect(page.get_by_label("Username")).to_be_visible()
    shots.take(page, "login")
    page.go_back()
    cards.get_by_role("link", name="Read the docs").click()
    expect(page.get_by_role("heading", level=1).first).to_be_visible()
    shots.take(page, "docs")
