"""Plays a customer in a fresh shop and takes the pictures of README."""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Browser, Page, sync_playwright

from tests.local_server import LocalServer

if TYPE_CHECKING:
    from playwright.sync_api import ViewportSize

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
LAPTOP: "ViewportSize" = {"width": 1360, "height": 880}
PHONE: "ViewportSize" = {"width": 390, "height": 844}
CUSTOMER, STAFF_GROUP = 800_000_001, -800_000_001
FONT = "body, button, textarea { font-family: Inter, sans-serif !important }"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("There is no Chromium here: apt-get install chromium")
    PICTURES.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="quickcart-pictures-"))
    try:
        with LocalServer(folder / "data") as shop, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
            take_chat(open_page(browser, shop.url, LAPTOP))
            take_phone(open_page(browser, shop.url, PHONE))
            take_back_office(open_page(browser, shop.url, LAPTOP))
            browser.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def open_page(browser: Browser, url: str, size: "ViewportSize") -> Page:
    is_phone = size is PHONE
    context = browser.new_context(
        base_url=url,
        viewport=size,
        is_mobile=is_phone,
        has_touch=is_phone,
        device_scale_factor=1.5 if is_phone else 1,
        timezone_id="Asia/Jakarta",
        locale="en-GB",
        bypass_csp=True,  # for the font only: the page itself allows nothing inline
    )
    return context.new_page()


def take_chat(page: Page) -> None:
    """A laptop: goods that have just arrived, and the bank that paid for them."""
    page.goto(f"/sandbox/#chat={CUSTOMER}")
    page.add_style_tag(content=FONT)
    page.get_by_role("button", name="Start", exact=True).click()
    page.locator("#reply-keyboard button", has_text="105").click()
    pay_by_qris(page)
    page.locator("#toggle-keyboard").click()
    page.locator("li[data-status=pending]").get_by_role("button", name="Pay", exact=True).click()
    page.get_by_role("log").get_by_text("demo-105").first.wait_for()
    page.locator(f"[data-chat='{STAFF_GROUP}'] .badge").wait_for()
    take(page, "chat", newest="code")


def take_phone(page: Page) -> None:
    page.goto("/sandbox/")
    page.add_style_tag(content=FONT)
    page.get_by_role("button", name="New customer").click()
    page.get_by_role("button", name="Start", exact=True).click()
    page.locator("#reply-keyboard button", has_text="108").click()
    page.locator("#toggle-keyboard").click()
    take(page, "phone-product", newest="img.photo")
    pay_by_qris(page)
    take(page, "phone-qris", newest="img.photo")
    page.get_by_role("button", name="Bank app", exact=True).click()
    waiting = page.locator("li[data-status=pending]").first
    waiting.get_by_role("button", name="Pay", exact=True).click()
    page.get_by_role("button", name="Done").click()
    page.get_by_role("log").get_by_text("DEMO-108").first.wait_for()
    take(page, "phone-goods", newest="code")


def pay_by_qris(page: Page) -> None:
    log = page.get_by_role("log")
    log.get_by_role("button", name="Lanjut ke pembayaran").last.click()
    log.get_by_role("button", name="QRIS", exact=True).last.click()
    log.get_by_role("link", name="Checkout Page").wait_for()
    page.locator("li[data-status=pending]").first.wait_for(state="attached")


def take_back_office(page: Page) -> None:
    page.goto("/admin/")
    page.locator("[name=username]").fill("owner")
    page.locator("[name=password]").fill("quickcart-demo")
    page.locator("[name=password]").press("Enter")
    page.locator("canvas").first.wait_for()
    take(page, "back-office", newest="canvas")


def take(page: Page, name: str, *, newest: str) -> None:
    """Wait until what came last is drawn and at rest."""
    page.locator(newest).last.wait_for()
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    page.wait_for_timeout(1_500)  # animations of charts and bubbles
    page.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    main()
