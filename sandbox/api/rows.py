"""A message as the chat page shows it: the whole row, or one line of it."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse

from sandbox.api.http import Json
from sandbox.telegram import bot
from sandbox.telegram.models import Chat, File, Message
from sandbox.telegram.render import message_html

PREVIEW_LENGTH = 100
NOBODY = "Deleted Account"

Names = dict[int, str]


def names_of(user_ids: Iterable[int]) -> Names:
    people = Chat.objects.filter(pk__in=set(user_ids), kind=Chat.Kind.PRIVATE)
    return {person.pk: full_name(person) for person in people} | {
        bot.bot_id(): bot.as_user()["first_name"]
    }


def full_name(person: Chat) -> str:
    return f"{person.first_name} {person.last_name}".strip()


def message_rows(messages: Iterable[Message]) -> list[Json]:
    """`messages` with `file` and `reply_to` at hand."""
    shown = list(messages)
    replied = [message.reply_to for message in shown if message.reply_to is not None]
    names = names_of(message.sender_id for message in [*shown, *replied])
    return [_row(message, names) for message in shown]


def _row(message: Message, names: Names) -> Json:
    body = message.body
    return {
        "message_id": message.message_id,
        "from_id": message.sender_id,
        "from_bot": message.sender_id == bot.bot_id(),
        "from_name": names.get(message.sender_id, NOBODY),
        "date": int(message.sent_at.timestamp()),
        "text": body.get("text"),
        "caption": body.get("caption"),
        "html": message_html(body),
        **_file_fields(message),
        "media_group_id": body.get("media_group_id"),
        "reply_to_message_id": message.reply_to.message_id if message.reply_to else None,
        "reply_to": _quote(message.reply_to, names),
        "reply_markup": message.reply_markup,
        "edited": message.edited_at is not None,
        "deleted": message.is_deleted,
        "event": message.event,
    }


def _file_fields(message: Message) -> Json:
    photo = (message.body.get("photo") or [{}])[-1]
    return {
        "photo": _url_if(message, File.Kind.PHOTO),
        "photo_width": photo.get("width"),
        "photo_height": photo.get("height"),
        "document": _url_if(message, File.Kind.DOCUMENT),
        "sticker": _url_if(message, File.Kind.STICKER),
        "file_name": message.body.get("document", {}).get("file_name"),
        "file_size": message.file.size if message.file else None,
    }


def _url_if(message: Message, kind: File.Kind) -> str | None:
    if message.file is None or message.file.kind != kind:
        return None
    return reverse("sandbox-file", kwargs={"path": message.file.path})


def _quote(message: Message | None, names: Names) -> Json | None:
    if message is None or message.is_deleted:
        return None
    return {
        "message_id": message.message_id,
        "from_name": names.get(message.sender_id, NOBODY),
        "preview": preview(message.body),
    }


def preview(body: dict[str, Any]) -> str:
    """Return one line: the words, or what kind of file has none."""
    words = " ".join((body.get("text") or body.get("caption") or _kind(body)).split())
    return words if len(words) <= PREVIEW_LENGTH else f"{words[: PREVIEW_LENGTH - 1]}…"


def _kind(body: dict[str, Any]) -> str:
    if "photo" in body:
        return "📷 Photo"
    if "document" in body:
        return f"📎 {body['document'].get('file_name') or 'File'}"
    if "sticker" in body:
        return "Sticker"
    return "This group became a supergroup"
