"""The watch over all browser tests sees what it is there for."""

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.watch import Watch
from tests.e2e.shop import Shop

pytestmark = pytest.mark.browser

TROUBLES = {
    "console.error('an error')": "console error: an error",
    "console.warn('a warning')": "console warning: a warning",
    "setTimeout(() => { throw new Error('nobody caught it') })": "uncaught: ",
    "void fetch('/sandbox/api/nothing/')": "404: GET ",
    "void fetch('http://elsewhere.example/').catch(() => {})": "elsewhere: http://elsewhere",
    "void fetch('http://127.0.0.1:1/').catch(() => {})": "failed: GET http://127.0.0.1:1/",
    "setTimeout(() => alert('hello'))": "dialog: hello",
}


@pytest.mark.parametrize("script", TROUBLES)
def test_trouble_in_a_page_is_noticed(context: BrowserContext, shop: Shop, script: str) -> None:
    watch = Watch(context, shop.url)
    page = context.new_page()
    watch.expect(r"/favicon\.ico")
    # No page of the shop's: their policy would refuse some of this before it is tried.
    page.goto(f"{shop.url}/sandbox/api/inbox/")
    expect(page.locator("body")).to_contain_text("QuickCart Staff")
    assert watch.faults() == []
    page.evaluate(script)
    found = TROUBLES[script]
    for _ in range(100):
        if any(fault.startswith(found) for fault in watch.faults()):
            break
        page.evaluate("new Promise((resolve) => setTimeout(resolve, 20))")
    else:
        pytest.fail(f"{script} was not noticed: {watch.faults()}")
    watch.expect(".")
    assert watch.faults() == []
