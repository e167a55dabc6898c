"""Writes outbox rows whose text the test decides, and delivers them at a time it names."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from core.models import OutboxMessage
from core.outbox import STAFF, enqueue_message
from telegram_bot.delivery import DeliveryReport, deliver_outbox
from telegram_bot.message_parts import OutgoingMessage
from telegram_bot.screens import Screen
from tests.bot.harness import BotHarness, Chat

NOW = timezone.now()


class Post:
    """Writes rows of kind "test" that say what their references say."""

    def __init__(self, bot: BotHarness) -> None:
        self.bot = bot
        self.screens: dict[str, Screen] = {}
        self.delete: tuple[tuple[int, int], ...] = ()
        self.followed: list[tuple[int, int, datetime]] = []
        self.after_sent: Any = lambda *call: self.followed.append(call)

    def render(self, row: OutboxMessage, customer: Any) -> OutgoingMessage | None:
        text = str(row.references["text"])
        if text == "nothing":
            return None
        if text == "broken":
            raise ZeroDivisionError("the bug")
        screen = self.screens.get(text, Screen(text))
        return OutgoingMessage(screen, self.delete, self.after_sent)

    def write(self, chat: Chat | None, text: str, **fields: Any) -> OutboxMessage:
        recipient = STAFF if chat is None else chat.id
        kind = fields.pop("kind", "test")
        key = f"{text}:{recipient}"
        references: dict[str, int | str] = {"text": text}
        enqueue_message(
            recipient=recipient, kind=kind, references=references, dedupe_key=key, **fields
        )
        return OutboxMessage.objects.get(dedupe_key=key)


def known(bot: BotHarness, name: str = "Sari", **profile: Any) -> Chat:
    chat = bot.person(name, **profile)
    chat.send("/start")
    return chat


def deliver(**after: float) -> DeliveryReport:
    return deliver_outbox(now=NOW + timedelta(**after))
