"""What the renderers of outbox rows share."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from core.outbox import References
from payments.models import Payment
from telegram_bot.screens import Buttons, Screen
from telegram_bot.shortcuts import render_text

MessageIds = tuple[tuple[int, int], ...]
"""Pairs of chat id and message id."""
Sent = Callable[[int, int, datetime], None]
"""Told after sending: chat id, id of the message with the text, the time."""


@dataclass(frozen=True)
class OutgoingMessage:
    """A message, the messages it takes away first, and what to remember once it is sent.

    What cannot be taken away for good is edited to say `over`. With `insists` taking away is what
    the row is for, and it is repeated until it is done.
    """

    screen: Screen
    delete_before: MessageIds = ()
    after_sent: Sent | None = None
    over: str = ""
    insists: bool = False


Renderer = Callable[[References], OutgoingMessage | None]


def screen_of(template: str, context: dict[str, Any], buttons: Buttons = ()) -> Screen:
    return Screen(render_text(f"telegram/{template}", context), buttons=buttons)


def message_ids(payments: QuerySet[Payment]) -> MessageIds:
    shown = payments.filter(chat_id__isnull=False, message_id__isnull=False).order_by("pk")
    return tuple(
        (payment.chat_id, payment.message_id)
        for payment in shown
        if payment.chat_id is not None and payment.message_id is not None
    )


def remember_message(payment: Payment) -> Sent:
    def remember(chat_id: int, message_id: int, _now: datetime) -> None:
        Payment.objects.filter(pk=payment.pk).update(chat_id=chat_id, message_id=message_id)

    return remember
