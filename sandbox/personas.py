"""The people of the demo, whom the stand-in knows before anybody writes."""

from typing import Any

from django.conf import settings
from django.db import transaction

from sandbox.changes import tell
from sandbox.telegram.chats import add_members
from sandbox.telegram.models import Chat

_DETAILS = ("first_name", "last_name", "username", "language_code")


def are_known() -> bool:
    return Chat.objects.filter(pk=settings.SANDBOX_STAFF_CHAT["id"]).exists()


@transaction.atomic
def make_known() -> int:
    """Open the personas' private chats and their group; return how many were missing.

    A private chat that exists is one the bot may write to, as after /start.
    """
    made = sum(_meet(persona) for persona in settings.SANDBOX_PERSONAS)
    made += _open_group(settings.SANDBOX_STAFF_CHAT)
    if made:
        tell("chats")
    return made


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
