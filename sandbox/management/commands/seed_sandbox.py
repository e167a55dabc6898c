from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from sandbox.telegram.chats import add_members
from sandbox.telegram.models import Chat

_DETAILS = ("first_name", "last_name", "username", "language_code")


class Command(BaseCommand):
    """A private chat that exists is one the bot may write to, as after /start."""

    help = "Let the stand-in for Telegram know the demo's personas and their admin group."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        made = sum(_meet(persona) for persona in settings.SANDBOX_PERSONAS)
        made += _open_group(settings.SANDBOX_STAFF_CHAT)
        told = f"{made} chats made." if made else "Nothing to do: the stand-in knows everyone."
        self.stdout.write(told)


def _meet(persona: dict[str, Any]) -> bool:
    details = {name: persona[name] for name in _DETAILS}
    _, is_new = Chat.objects.get_or_create(
        pk=persona["id"], defaults={"kind": Chat.Kind.PRIVATE, **details}
    )
    return is_new


def _open_group(group: dict[str, Any]) -> bool:
    chat, is_new = Chat.objects.get_or_create(
        pk=group["id"], defaults={"kind": Chat.Kind.GROUP, "title": group["title"]}
    )
    admins = [each["id"] for each in settings.SANDBOX_PERSONAS if each["role"] == "admin"]
    add_members(chat, admins)
    return is_new
