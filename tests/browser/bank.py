"""The pretend bank beside the chat, on a phone a page of its own."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.chromium import Device


class BankApp:
    def __init__(self, page: Page, device: Device) -> None:
        self.page = page
        self.device = device
        self.panel = page.get_by_role("complementary", name="Bank app")
        self.receipt = self.panel.get_by_role("status")
        self.waiting = page.locator("#bank-badge")

    def open(self) -> None:
        if not self.panel.is_visible():
            self.page.get_by_role("button", name="Bank app", exact=True).click()
        expect(self.panel).to_be_visible()

    def entry(self, txn_id: str) -> Locator:
        return self.panel.locator(f'li[data-txn="{txn_id}"]')

    def press(self, txn_id: str, label: str) -> None:
        self.open()
        self.entry(txn_id).get_by_role("button", name=label, exact=True).click()

    def pay(self, txn_id: str, label: str = "Pay") -> str:
        """Pay a QR code in one of the bank's ways; return what the receipt says."""
        self.press(txn_id, label)
        expect(self.receipt).to_contain_text("Paid with pretend money")
        return self.receipt.inner_text()

    def leave(self) -> None:
        """Press Done on the receipt, which on a phone leads back to the chat."""
        self.receipt.get_by_role("button", name="Done").click()
        expect(self.receipt).to_be_hidden()
        if self.device.is_phone:
            expect(self.panel).to_be_hidden()

    def close(self) -> None:
        """Go back to the chat on a phone, where the bank covers it."""
        if self.device.is_phone:
            self.page.get_by_role("button", name="Close the bank app").click()
            expect(self.panel).to_be_hidden()

    def status(self, txn_id: str, status: str) -> None:
        """Wait until the bank shows the code as pending, completed or canceled."""
        expect(self.entry(txn_id)).to_have_attribute("data-status", status)
