"""What a person does, told to the bot."""

from typing import Any

from django.db import transaction

from sandbox.telegram import bot, update_queue, webhook
from sandbox.telegram.chats import chat_json, person_json
from sandbox.telegram.messages import message_json
from sandbox.telegram.models import CallbackQuery, Chat, InlineQuery, Message
from sandbox.telegram.state import read_state, wants


def push(kind: str, body: dict[str, Any]) -> int | None:
    """The update's id, or None when the bot does not want this kind."""
    state = read_state()
    if not wants(state, kind):
        return None
    update_id = update_queue.append(kind, body)
    if state.webhook_url:
        transaction.on_commit(webhook.start)
    return update_id


def push_message(message: Message) -> int | None:
    return push("message", message_json(message))


def push_callback(query: CallbackQuery, *, person: Chat, message: Message) -> int | None:
    body = {
        "id": str(query.pk),
        "from": person_json(person),
        "message": message_json(message),
        "chat_instance": str(abs(message.chat_id) * 31 + 7),
        "data": query.data,
    }
    return push("callback_query", body)


def push_inline_query(query: InlineQuery, *, person: Chat, offset: str) -> int | None:
    body = {
        "id": str(query.pk),
        "from": person_json(person),
        "query": query.query,
        "offset": offset,
        "chat_type": "sender",
    }
    return push("inline_query", body)


def push_blocking(person: Chat, *, at: int) -> int | None:
    """The person blocked the bot or took it back: a change of the bot's own membership."""
    member: dict[str, Any] = {"user": bot.as_user(), "status": "member"}
    kicked: dict[str, Any] = {"user": bot.as_user(), "status": "kicked", "until_date": 0}
    old, new = (member, kicked) if person.is_blocked else (kicked, member)
    body = {
        "chat": chat_json(person),
        "from": person_json(person),
        "date": at,
        "old_chat_member": old,
        "new_chat_member": new,
    }
    return push("my_chat_member", body)
