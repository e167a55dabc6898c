"""Reads a Telegram update into plain data; what the shop does not serve is None."""

import re
from dataclasses import dataclass
from typing import Any

from telegram import CallbackQuery, InlineQuery, Message, Update, User
from telegram.constants import ChatType

from accounts.services.customers import TelegramProfile
from telegram_bot.requests import RequestKind

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@(\w+))?(?:\s+(.*))?", re.DOTALL)


@dataclass(frozen=True)
class Incoming:
    """An update of one person, before the database knows who they are."""

    update_id: int
    kind: RequestKind
    profile: TelegramProfile
    chat_id: int
    is_private: bool
    message_id: int | None = None
    text: str = ""
    command: str = ""
    path: str = ""


def read_update(update: Update, bot_username: str) -> Incoming | None:
    """Return the update of a person, or None: another kind, or meant for another bot."""
    if update.callback_query is not None:
        return _pressed(update.update_id, update.callback_query)
    if update.inline_query is not None:
        return _inline(update.update_id, update.inline_query)
    if update.message is not None:
        return _written(update.update_id, update.message, bot_username)
    return None


def profile_of(user: User) -> TelegramProfile:
    return TelegramProfile(
        id=user.id,
        first_name=user.first_name,
        last_name=user.last_name or "",
        username=user.username or "",
        language_code=user.language_code or "",
    )


def _pressed(update_id: int, query: CallbackQuery) -> Incoming | None:
    message = query.message
    if message is None:
        # A button of a message shared inline: it belongs to a chat the bot does not see.
        return None
    return Incoming(
        update_id,
        RequestKind.CALLBACK,
        profile_of(query.from_user),
        chat_id=message.chat.id,
        is_private=message.chat.type == ChatType.PRIVATE,
        message_id=message.message_id,
        path=query.data or "",
    )


def _inline(update_id: int, query: InlineQuery) -> Incoming:
    person = profile_of(query.from_user)
    return Incoming(
        update_id, RequestKind.INLINE, person, chat_id=person.id, is_private=True, text=query.query
    )


def _written(update_id: int, message: Message, bot_username: str) -> Incoming | None:
    author = message.from_user
    if author is None or author.is_bot:
        return None
    text = message.text or message.caption or ""
    content = _content(text, bot_username)
    if content is None:
        return None
    return Incoming(
        update_id,
        profile=profile_of(author),
        chat_id=message.chat.id,
        is_private=message.chat.type == ChatType.PRIVATE,
        message_id=message.message_id,
        **content,
    )


def _content(text: str, bot_username: str) -> dict[str, Any] | None:
    """Return kind, command and text of what was written; None: a command for another bot."""
    found = _COMMAND.fullmatch(text.strip())
    if found is None:
        return {"kind": RequestKind.TEXT if text else RequestKind.OTHER, "text": text}
    command, addressee, argument = found.groups()
    if addressee and addressee.lower() != bot_username.lower():
        return None
    return {
        "kind": RequestKind.COMMAND,
        "command": command.lower(),
        "text": (argument or "").strip(),
    }
