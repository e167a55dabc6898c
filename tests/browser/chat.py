"""The chat page as a person uses it: by the roles and names of what is on it."""

import re

from playwright.sync_api import Locator, Page, Response, expect

from tests.browser.bank import BankApp
from tests.browser.chromium import Device, Shots

# A reply of the bot, through the queue and back into the page.
PATIENCE_MS = 20_000
UNREAD = re.compile(r"^\d+ unread$")


class _Listening:
    """True for the answer a page asks for once its stream has said hello."""

    def __init__(self) -> None:
        self._has_stream = False

    def __call__(self, response: Response) -> bool:
        self._has_stream |= response.url.endswith("/sandbox/live/")
        return self._has_stream and "/sandbox/api/inbox/" in response.url


class ChatPage:
    def __init__(self, page: Page, shop_url: str, device: Device, shots: Shots) -> None:
        self.page = page
        self.device = device
        self.url = f"{shop_url}/sandbox/"
        self.shots = shots
        self.chats = page.get_by_role("navigation", name="Chats")
        self.conversation = page.get_by_role("main")
        self.log = page.get_by_role("log", name="Messages")
        self.box = page.get_by_role("textbox", name="Message")
        self.reply_keyboard = page.get_by_role("region", name="Reply keyboard")
        self._start = page.get_by_role("button", name="Start", exact=True)
        self.status = page.locator("#peer-status")
        self.bank = BankApp(page, device)

    def open(self, chat_id: int | None = None) -> "ChatPage":
        """Load the page anew, until it hears of changes; on a phone it begins with the list."""
        self.page.goto("about:blank")
        with self.page.expect_response(_Listening()):
            self.page.goto(f"{self.url}#chat={chat_id}" if chat_id else self.url)
        if chat_id:
            self.wait_until_open(chat_id)
        else:
            expect(self.row("QuickCart Staff")).to_be_visible()
        return self

    # --- Who one is ---

    def row(self, title: str) -> Locator:
        name = self.page.get_by_text(title, exact=True)
        return self.chats.locator("button[data-chat]").filter(has=name)

    def row_of(self, chat_id: int) -> Locator:
        return self.page.locator(f'button[data-chat="{chat_id}"]')

    def choose(self, title: str) -> None:
        self.show_chats()
        chat_id = self.row(title).get_attribute("data-chat")
        self.row(title).click()
        self.wait_until_open(int(chat_id or 0))

    def new_customer(self) -> int:
        """Become somebody who never wrote to the shop; return their id."""
        self.show_chats()
        before = self.chat_id
        self.chats.get_by_role("button", name="New customer").click()
        expect(self._start).to_be_visible()
        expect(self.conversation).not_to_have_attribute("data-chat", str(before))
        assert self.chat_id is not None
        return self.chat_id

    def show_chats(self) -> None:
        """Go back to the list, where a phone shows one thing at a time."""
        if self.device.is_phone and self.conversation.is_visible():
            self.page.get_by_role("button", name="Back to chats").click()
        expect(self.chats).to_be_visible()

    @property
    def chat_id(self) -> int | None:
        if not self.conversation.is_visible():
            return None
        return int(self.conversation.get_attribute("data-chat") or 0) or None

    def wait_until_open(self, chat_id: int) -> None:
        expect(self.conversation).to_have_attribute("data-chat", str(chat_id))

    def unread(self, title: str) -> Locator:
        return self.row(title).get_by_label(UNREAD)

    # --- Talking ---

    def start(self) -> None:
        self._start.click()
        self.wait_for_text("Mau cari apa hari ini?")
        expect(self.key("LIST PRODUK")).to_be_visible()

    def start_if_new(self) -> None:
        """Press Start where nobody did before; a persona's chat outlives a test."""
        expect(self._start.or_(self.reply_keyboard)).to_be_visible()
        if self._start.is_visible():
            self.start()

    def say(self, text: str) -> None:
        self.box.fill(text)
        self.page.get_by_role("button", name="Send", exact=True).click()
        expect(self.box).to_have_value("")

    def key(self, label: str) -> Locator:
        return self.reply_keyboard.get_by_role("button", name=label, exact=True)

    def press(self, label: str) -> None:
        """Press the newest button with this label, and wait until the bot has answered it."""
        button = self.button(label)
        button.click()
        expect(self.log.locator("button[aria-busy=true]")).to_have_count(0, timeout=PATIENCE_MS)

    def button(self, label: str) -> Locator:
        return self.log.get_by_role("button", name=label, exact=True).last

    def message(self, text: str | re.Pattern[str]) -> Locator:
        """Return the newest message with these words."""
        return self.log.locator("article").filter(has_text=text).last

    def wait_for_text(
        self, text: str | re.Pattern[str], *, timeout: float = PATIENCE_MS
    ) -> Locator:
        message = self.message(text)
        expect(message).to_be_visible(timeout=timeout)
        return message

    def texts(self) -> list[str]:
        return self.log.locator("article .text").all_inner_texts()

    # --- Buying ---

    def order(self, number: int) -> None:
        """Ask for a product by its number."""
        self.say(str(number))
        self.wait_for_text("Jumlah: 1")

    def ask_for_qr(self, number: int) -> str:
        """Go from a product's number to its QR code; return the transaction it stands for."""
        self.order(number)
        self.press("Lanjut ke pembayaran")
        self.wait_for_text("Ringkasan Pesanan")
        self.press("QRIS")
        return self.txn_id(self.wait_for_text("Scan kode QR ini"))

    @staticmethod
    def txn_id(qr_message: Locator) -> str:
        link = qr_message.get_by_role("link", name="Checkout Page").get_attribute("href") or ""
        found = re.search(r"/pay-v2/(\w+)", link)
        assert found, link
        return found[1]

    # --- Looking ---

    def shoot(self, name: str) -> None:
        self.shots.take(self.page, name)
