"""Messages: write, change, delete, and show them as the API does."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from sandbox.telegram import bot
from sandbox.telegram.chats import HeldChat, chat_json, sender_json
from sandbox.telegram.entities import Entity
from sandbox.telegram.errors import bad_request
from sandbox.telegram.files import media_fields
from sandbox.telegram.keyboards import Markup, is_inline
from sandbox.telegram.models import Chat, File, Message
from sandbox.telegram.params import Params, as_integer

DELETABLE_FOR = timedelta(hours=48)
MEDIA_FIELDS = ("photo", "document", "sticker")


@dataclass
class Draft:
    body: dict[str, Any]
    reply_markup: Markup | None = None
    file: File | None = None
    reply_to: Message | None = None


def media_body(file: File, caption: dict[str, Any]) -> dict[str, Any]:
    return {**media_fields(file), **caption}


def write_message(held: HeldChat, draft: Draft, *, sender_id: int, back: int = 0) -> Message:
    """Take a reserved message id: the newest, or `back` before it."""
    return Message.objects.create(
        chat=held.chat,
        message_id=held.chat.last_message_id - back,
        sender_id=sender_id,
        sent_at=timezone.now(),
        event=held.event,
        body=draft.body,
        reply_markup=draft.reply_markup,
        reply_to=draft.reply_to,
        file=draft.file,
    )


def change_message(held: HeldChat, message: Message, draft: Draft) -> None:
    """Replace content and keyboard; the same again is refused."""
    if message.body == draft.body and message.reply_markup == draft.reply_markup:
        raise bad_request(
            "message is not modified: specified new message content and reply markup are "
            "exactly the same as a current content and reply markup of the message"
        )
    message.body, message.reply_markup, message.file = draft.body, draft.reply_markup, draft.file
    message.event, message.edited_at = held.event, timezone.now()
    message.save(update_fields=["body", "reply_markup", "file", "event", "edited_at"])


def delete_message(held: HeldChat, message: Message) -> None:
    if timezone.now() - message.sent_at > DELETABLE_FOR or is_service(message.body):
        raise bad_request("message can't be deleted for everyone")
    if message.sender_id != bot.bot_id() and held.chat.kind != Chat.Kind.PRIVATE:
        raise bad_request("message can't be deleted")  # the bot is no administrator here
    message.is_deleted, message.event = True, held.event
    message.save(update_fields=["is_deleted", "event"])


def is_service(body: dict[str, Any]) -> bool:
    return "migrate_to_chat_id" in body or "migrate_from_chat_id" in body


def find_message(chat: Chat, message_id: int) -> Message | None:
    """None when it is deleted, too."""
    messages = Message.objects.filter(chat=chat, message_id=message_id, is_deleted=False)
    message = messages.select_related("reply_to__chat").first()
    if message is not None:
        message.chat = chat
    return message


def message_argument(params: Params, chat: Chat, *, purpose: str) -> Message:
    """The message of `message_id`; `purpose` completes "message … not found"."""
    if not params.has("message_id"):
        raise bad_request("message identifier is not specified")
    message = find_message(chat, bounded(params.integer("message_id")))
    if message is None:
        raise bad_request(f"message {purpose} not found")
    return message


def bounded(message_id: int) -> int:
    return message_id if 0 < message_id < 2**31 else 0


def reply_argument(params: Params, chat_id: int) -> Message | None:
    """The message replied to, by `reply_parameters` or the older `reply_to_message_id`."""
    reply = params.parsed("reply_parameters", what="reply parameters") or {}
    if not isinstance(reply, dict):
        raise bad_request("object expected as reply parameters")
    legacy = params.integer("reply_to_message_id")
    message_id = as_integer(reply.get("message_id")) or legacy
    if not message_id:
        return None
    chat_id = as_integer(reply.get("chat_id")) or chat_id
    messages = Message.objects.filter(chat_id=chat_id, is_deleted=False)
    message = messages.filter(message_id=bounded(message_id)).select_related("chat").first()
    may_miss = reply.get("allow_sending_without_reply") is True
    if message is None and not may_miss and not params.flag("allow_sending_without_reply"):
        raise bad_request("message to be replied not found")
    return message


def message_json(message: Message) -> dict[str, Any]:
    """The API's Message; a message replied to is shown without its own reply."""
    fields = _plain_json(message)
    if message.reply_to_id is not None and message.reply_to is not None:
        fields["reply_to_message"] = _plain_json(message.reply_to)
    return fields


def _plain_json(message: Message) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "message_id": message.message_id,
        "from": sender_json(message.sender_id, message.chat),
        "chat": chat_json(message.chat),
        "date": int(message.sent_at.timestamp()),
    }
    if message.edited_at is not None:
        fields["edit_date"] = int(message.edited_at.timestamp())
    fields |= message.body
    if is_inline(message.reply_markup):
        fields["reply_markup"] = message.reply_markup
    return fields


def caption_fields(body: dict[str, Any]) -> dict[str, str | list[Entity]]:
    return {name: body[name] for name in ("caption", "caption_entities") if name in body}


def is_media(message: Message) -> bool:
    return any(name in message.body for name in MEDIA_FIELDS)


def check_own_and_editable(message: Message) -> None:
    """Only messages of the bot without a reply keyboard can be edited (Bot API, "Updating")."""
    has_other_markup = message.reply_markup is not None and not is_inline(message.reply_markup)
    if message.sender_id != bot.bot_id() or has_other_markup or "forward_origin" in message.body:
        raise bad_request("message can't be edited")
