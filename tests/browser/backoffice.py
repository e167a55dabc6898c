"""The back office in the browser, as the owner of the demo."""

import re

from playwright.sync_api import Page, expect

from tests.browser.chromium import Shots

USERNAME, PASSWORD = "owner", "quickcart-demo"


class BackOffice:
    def __init__(self, page: Page, shop_url: str, shots: Shots) -> None:
        self.page = page
        self.url = f"{shop_url}/admin/"
        self.shots = shots

    def log_in(self) -> "BackOffice":
        page = self.page
        page.goto(self.url)
        page.get_by_role("textbox", name=re.compile("^Username")).fill(USERNAME)
        page.get_by_role("textbox", name=re.compile("^Password")).fill(PASSWORD)
        page.get_by_role("button", name=re.compile("^Log in")).click()
        expect(page).to_have_url(self.url)
        return self

    def add_product(self, number: int, name: str, price: str) -> None:
        page = self.page
        page.goto(f"{self.url}catalog/product/add/")
        page.get_by_label(re.compile("^Number")).fill(str(number))
        page.get_by_role("textbox", name=re.compile("^Name")).fill(name)
        page.get_by_role("textbox", name="Description").fill("Made in the back office.")
        page.get_by_role("textbox", name=re.compile("^Price")).fill(price)
        self.shots.take(page, "product")
        page.get_by_role("button", name="Save and continue editing").click()
        expect(page).to_have_url(re.compile(r"/catalog/product/\d+/change/"))

    def add_stock(self, items: list[str]) -> None:
        """On a product's page: paste goods, one a line."""
        page = self.page
        actions = page.get_by_text("more_horiz")
        if actions.is_visible():  # what a narrow page puts away
            actions.click()
        page.get_by_role("link", name=re.compile("Add stock$")).first.click()
        page.get_by_label("Paste your stock").fill("\n".join(items))
        self.shots.take(page, "stock")
        page.get_by_role("button", name="Add stock").click()

    def orders_paid(self) -> int:
        """Return how many orders the dashboard counts as paid."""
        self.page.goto(self.url)
        title = self.page.get_by_role("heading", name="Orders paid", exact=True)
        card = self.page.locator("section").filter(has=title).last
        return int(card.get_by_text(re.compile(r"^\s*[\d.]+\s*$")).inner_text().replace(".", ""))

    def open_order(self, invoice: str) -> None:
        """From the list of orders, newest first, to one of them."""
        self.page.goto(f"{self.url}orders/order/")
        link = self.page.get_by_role("link", name=invoice)
        expect(link).to_be_visible()
        self.shots.take(self.page, "orders")
        link.click()
        expect(self.page).to_have_url(re.compile(r"/orders/order/\d+/change/"))
