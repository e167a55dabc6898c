"""Groups that hear what staff should know. Each change of them is audited."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import StaffChat
from audit.services import Changes, conceal, difference, record_audit
from core.models import OutboxMessage, OutboxState

EDITABLE = ("chat_id", "title", "hears_orders", "hears_problems")
LONGEST_ID = 2**52
"""Telegram's ids have at most 52 significant bits (Bot API, Chat)."""


@transaction.atomic
def add_staff_chat(
    *, fields: Mapping[str, Any], actor: str, source: str, now: datetime
) -> StaffChat:
    """Add a group from columns (EDITABLE; ValueError for another). Raises ValidationError."""
    chat = StaffChat()
    _set(chat, fields)
    chat.save()
    _record("add_staff_chat", chat, (None, _values(chat)), actor=actor, source=source, now=now)
    return chat


@transaction.atomic
def update_staff_chat(
    *, staff_chat_id: int, changes: Mapping[str, Any], actor: str, source: str, now: datetime
) -> StaffChat:
    """Change columns of a group; the rest stays as it is. Raises ValidationError."""
    chat = _lock(staff_chat_id)
    before = _values(chat)
    _set(chat, changes)
    old, new = difference(before, _values(chat))
    if new:
        chat.save(update_fields=list(new))
        _record("update_staff_chat", chat, (old, new), actor=actor, source=source, now=now)
    return chat


@transaction.atomic
def remove_staff_chat(*, staff_chat_id: int, actor: str, source: str, now: datetime) -> None:
    """Remove a group. What was written to it and not yet sent is not sent any more."""
    chat = _lock(staff_chat_id)
    waiting = OutboxMessage.objects.pending().filter(recipient=chat.chat_id)
    waiting.update(state=OutboxState.DROPPED, leased_until=None)
    _record("remove_staff_chat", chat, (_values(chat), None), actor=actor, source=source, now=now)
    chat.delete()


def check_group_id(chat_id: int) -> None:
    """Raise ValidationError for an id that no group has."""
    if not -LONGEST_ID < chat_id < 0:
        raise ValidationError(
            {"chat_id": "A group's id is a negative number, such as -1001234567890."}
        )


def _lock(staff_chat_id: int) -> StaffChat:
    return StaffChat.objects.select_for_update(no_key=True).get(pk=staff_chat_id)


def _set(chat: StaffChat, fields: Mapping[str, Any]) -> None:
    if not set(fields) <= set(EDITABLE):
        raise ValueError(sorted(set(fields) - set(EDITABLE)))
    for name, value in fields.items():
        setattr(chat, name, value)
    check_group_id(chat.chat_id)
    chat.full_clean()


def _values(chat: StaffChat) -> dict[str, Any]:
    return {name: getattr(chat, name) for name in EDITABLE}


def _record(
    action: str,
    chat: StaffChat,
    changes: Changes,
    **signature: Any,
) -> None:
    """A title is what people wrote, perhaps their names: it is kept under a key of the group."""
    target = f"staffchat:{chat.pk}"
    concealed = conceal(changes, owner=target, names={"title"})
    record_audit(action=action, target=target, changes=concealed, **signature)
