"""Drives the whole bot against both stand-ins in one process: no sockets, no sleeping, no jobs.

    def test_menu(shop_bot):                  # fixtures: tests/bot/conftest.py
        sari = shop_bot.person("Sari")        # a new Telegram user with a private chat
        sari.send("/start")                   # types; the bot has answered when this returns
        sari.press("Kategori")                # presses the newest button with this in its text
        assert "Streaming" in sari.last.text  # newest message of the bot (text or caption)
        sari.press_path("/product/7/1")       # any data, as a forged client would
        sari.notice                           # what the last pressed button was answered with
        shop_bot.run_jobs()                   # opens payments, handles webhooks, delivers outbox
        shop_bot.pay(payment)                 # the customer's bank pays; webhook comes; jobs run
        shop_bot.deliver()                    # only the outbox; returns the DeliveryReport

The view runs on the test's thread, so it sees the test's transaction (`shop_bot`). With
`committed_shop_bot` the rows are committed and threads of the test see them.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from telegram import Update

from accounts.models import Customer, StaffChat
from payments import jobs as payment_jobs
from payments.models import GatewayEvent, Payment, PaymentStatus
from telegram_bot.application import BotApplication, build_application
from telegram_bot.delivery import DeliveryReport, deliver_outbox
from telegram_bot.work import Dispatch
from tests.bot.in_process import Driver, InProcessRequest, on_test_thread
from tests.bot.seen import SeenMessage, read_message

API = "/sandbox/api"
GATEWAY = "/sandbox/pakasir"


class BotHarness:
    def __init__(self, request: InProcessRequest, dispatch: Dispatch | None = None) -> None:
        self.request = request
        self.driver = Driver()
        self._next_update = 0
        extra: dict[str, Any] = {} if dispatch is None else {"dispatch": dispatch}
        self.application: BotApplication = build_application(
            run=on_test_thread, request=request, **extra
        )
        async_to_sync(self.application.initialize)()

    def close(self) -> None:
        async_to_sync(self.application.shutdown)()

    def person(self, first_name: str = "Sari", **profile: Any) -> "Chat":
        """Make a Telegram user; `id` of a known customer gives their chat."""
        profile.setdefault("language_code", "id")
        user = self.driver.post(f"{API}/users/", {"first_name": first_name, **profile})
        return Chat(self, user["id"], user["id"])

    def chat_of(self, customer: Customer) -> "Chat":
        """Give a customer of the database a Telegram account."""
        return self.person(
            customer.name, id=customer.pk, language_code=customer.telegram_language or "id"
        )

    def staff_group(self, *members: "Chat", title: str = "Staff") -> "Chat":
        """A group with a StaffChat row; the first member is who writes in it."""
        ids = [member.user_id for member in members]
        chat_id = self.driver.post(f"{API}/chats/", {"title": title, "member_ids": ids})["id"]
        StaffChat.objects.create(chat_id=chat_id, title=title)
        return Chat(self, chat_id, ids[0] if ids else 0)

    def pump(self) -> int:
        """Feed the waiting updates to the application, one by one; return how many there were."""
        handled = 0
        while updates := self.fetch_updates():
            for update in updates:
                async_to_sync(self.application.process_update)(update)
            handled += len(updates)
        return handled

    def fetch_updates(self) -> list[Update]:
        path = f"/sandbox/telegram/bot{settings.TELEGRAM_BOT_TOKEN}/getUpdates"
        found = self.driver.post(path, {"offset": self._next_update, "timeout": 0})["result"]
        if found:
            self._next_update = found[-1]["update_id"] + 1
        read: Callable[..., Update] = Update.de_json
        return [read(update, self.application.bot) for update in found]

    def deliver(self, now: datetime | None = None) -> DeliveryReport:
        return deliver_outbox(now=now)

    def run_jobs(self) -> None:
        """Do what jobs and sweep would do now: payments, events of the gateway, the outbox."""
        for payment in Payment.objects.filter(status=PaymentStatus.CREATING).order_by("pk"):
            payment_jobs.open_payment(payment.pk)
        for event in GatewayEvent.objects.filter(handled_at=None).order_by("pk"):
            payment_jobs.handle_gateway_event(event.pk)
        self.deliver()

    def pay(self, payment: Payment, **options: Any) -> None:
        """Pay a QR at the gateway; its webhook arrives (`webhook=False`: lost) and is handled."""
        has_webhook = options.pop("webhook", True)
        payment.refresh_from_db()
        body = {"webhook": "drop", **options}
        self.driver.post(f"{GATEWAY}/transactions/{payment.txn_id}/pay/", body)
        if has_webhook:
            self.post_webhook(payment)
        self.run_jobs()

    def post_webhook(self, payment: Payment) -> int:
        """Send the gateway's webhook of a payment to the shop; return the HTTP status."""
        rows = self.driver.get(f"{GATEWAY}/api/transactions/")["transactions"]
        paid = next(row for row in rows if row["txn_id"] == payment.txn_id)
        body = {
            "txn_id": paid["txn_id"],
            "order_id": paid["order_id"],
            "amount": paid["amount"],
            "is_sandbox": False,
            "status": paid["status"],
            "completed_at": timezone.now().isoformat(),
        }
        response = Client().post(
            "/webhooks/pakasir/",
            body,
            content_type="application/json",
            headers={"X-Secret": settings.PAKASIR_WEBHOOK_SECRET},
        )
        return response.status_code

    def calls(self, method: str = "") -> list[dict[str, Any]]:
        """The Bot API calls so far, oldest first: method, chat_id, ok, error_code."""
        found: list[dict[str, Any]] = self.driver.get(f"{API}/calls/")["calls"]
        return [call for call in found if method in ("", call["method"])]

    def fault(self, method: str, **fault: Any) -> None:
        """Order an error of the stand-in: error_code, retry_after, chat_id, times, …"""
        self.driver.post(f"{API}/faults/", {"method": method, **fault})


class Chat:
    """One person in one chat. Everything they do is answered when the call returns."""

    def __init__(self, bot: BotHarness, chat_id: int, user_id: int) -> None:
        self.bot = bot
        self.id = chat_id
        self.user_id = user_id
        self.callback: dict[str, Any] = {}
        self._callback_id = ""

    @property
    def customer(self) -> Customer:
        return Customer.objects.get(pk=self.user_id)

    def send(self, text: str, **fields: Any) -> int:
        body = {"from_id": self.user_id, "text": text, **fields}
        sent = self.bot.driver.post(f"{API}/chats/{self.id}/messages/", body)
        self.bot.pump()
        return int(sent["message_id"])

    def send_photo(self, data: bytes, caption: str = "") -> None:
        photo = SimpleUploadedFile("photo.png", data, "image/png")
        fields = {"from_id": self.user_id, "photo": photo, "caption": caption}
        self.bot.driver.upload(f"{API}/chats/{self.id}/messages/", fields)
        self.bot.pump()

    def press(self, text: str, message: SeenMessage | None = None) -> None:
        """Press the newest inline button whose label contains `text`."""
        candidates = [message] if message else self.messages[::-1]
        for seen in candidates:
            for button in seen.buttons:
                if text.lower() in button.text.lower() and button.path:
                    self.press_path(button.path, seen)
                    return
        labels = [seen.labels for seen in candidates]
        raise AssertionError(f"no button with {text!r} among {labels}")

    def press_path(self, path: str, message: SeenMessage | None = None) -> None:
        """Press a button with this data on a message (default: the newest of the bot)."""
        self.press_unpumped(path, message)
        self.bot.pump()
        self._read_callback()

    def press_unpumped(self, path: str, message: SeenMessage | None = None) -> None:
        target = message or self.last
        url = f"{API}/chats/{self.id}/messages/{target.id}/press/"
        pressed = self.bot.driver.post(url, {"from_id": self.user_id, "data": path})
        self._callback_id = pressed["callback_query_id"]

    def _read_callback(self) -> None:
        self.callback = self.bot.driver.get(f"{API}/callbacks/{self._callback_id}/")
        assert self.callback["answered"], f"the button was never answered: {self.callback}"

    @property
    def notice(self) -> str:
        return self.callback.get("text") or ""

    @property
    def messages(self) -> list[SeenMessage]:
        """What the bot wrote and still stands in the chat, oldest first."""
        rows = self.bot.driver.get(f"{API}/chats/{self.id}/messages/")["messages"]
        mine = [row for row in rows if row["from_bot"] and not row["deleted"]]
        return [read_message(row) for row in sorted(mine, key=lambda row: row["message_id"])]

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.messages]

    @property
    def last(self) -> SeenMessage:
        return self.messages[-1]

    def file(self, message: SeenMessage) -> bytes:
        """The content of a photo or document."""
        return bytes(self.bot.driver.client.get(message.document or message.photo).content)

    def block(self) -> None:
        self.bot.driver.post(f"{API}/users/{self.user_id}/block/")
        self.bot.pump()

    def unblock(self) -> None:
        self.bot.driver.post(f"{API}/users/{self.user_id}/unblock/")
        self.bot.pump()
