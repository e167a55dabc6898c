"""What people do in a chat, and what they see there."""

from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.http import content_disposition_header

from sandbox.api.http import Json, Refused, find_actor, takes
from sandbox.api.rows import message_rows
from sandbox.telegram import bot
from sandbox.telegram.chats import hold_chat
from sandbox.telegram.entities import FormattedText, tidy, utf16_length
from sandbox.telegram.files import demo_sticker, find_by_path, media_fields, store_file
from sandbox.telegram.messages import Draft, bounded, find_message, write_message
from sandbox.telegram.models import CallbackQuery, Chat, File, Message
from sandbox.telegram.params import Params
from sandbox.telegram.text import CAPTION_LIMIT, TEXT_LIMIT, as_fields
from sandbox.telegram.updates import push_callback, push_message

CALLBACK_DATA_BYTES = 64


@takes("from_id", "text", "reply_to_message_id", "sticker", "photo", "document", "caption")
def post_message(params: Params, *, chat: Chat) -> Json:
    if chat.migrated_to is not None:
        raise Refused(f"this group is now the supergroup {chat.migrated_to}")
    person = find_actor(params, chat)
    draft = _draft(params)
    with transaction.atomic():
        held = hold_chat(chat.pk, new_messages=1)
        draft.reply_to = _replied_to(params, held.chat)
        message = write_message(held, draft, sender_id=person.pk)
        update_id = push_message(message)
    return {"message_id": message.message_id, "update_id": update_id}


def _draft(params: Params) -> Draft:
    caption = _formatted(params, "caption", "caption_entities", limit=CAPTION_LIMIT)
    for kind in (File.Kind.PHOTO, File.Kind.DOCUMENT):
        if kind.value in params.files:
            upload = params.files[kind.value]
            name, mime_type = upload.name or "file", upload.content_type or ""
            file = store_file(kind, upload.read(), name, mime_type)
            return Draft(media_fields(file) | caption, file=file)
    if params.flag("sticker"):
        sticker = demo_sticker()
        return Draft(media_fields(sticker), file=sticker)
    text = _formatted(params, "text", "entities", limit=TEXT_LIMIT)
    if not text:
        raise Refused("a message needs text, sticker, photo or document")
    return Draft(text)


def _formatted(params: Params, text: str, entities: str, *, limit: int) -> dict[str, Any]:
    formatted = tidy(FormattedText(params.text(text)))
    if utf16_length(formatted.text) > limit:
        raise Refused(f"{text} has at most {limit} characters")
    return as_fields(formatted, text, entities)


def _replied_to(params: Params, chat: Chat) -> Message | None:
    if not params.has("reply_to_message_id"):
        return None
    message = find_message(chat, bounded(params.integer("reply_to_message_id")))
    if message is None:
        raise Refused("the message replied to does not exist")
    return message


@takes("from_id", "data")
def press(params: Params, *, chat: Chat, message_id: int) -> Json:
    """Any data may be pressed, as by a forged client; only its length is Telegram's."""
    person = find_actor(params, chat)
    data = params.text("data")
    if not 1 <= len(data.encode()) <= CALLBACK_DATA_BYTES:
        raise Refused(f"data has 1 to {CALLBACK_DATA_BYTES} bytes")
    message = find_message(chat, bounded(message_id))
    if message is None:
        raise Refused(f"message {message_id} does not exist or is deleted")
    if message.sender_id != bot.bot_id():
        raise Refused(f"message {message_id} is not the bot's")
    with transaction.atomic():
        query = CallbackQuery.objects.create(user_id=person.pk, data=data)
        update_id = push_callback(query, person=person, message=message)
    return {"callback_query_id": str(query.pk), "update_id": update_id}


def show_callback(params: Params, *, query_id: int) -> Json:  # noqa: ARG001 - a handler
    query = CallbackQuery.objects.filter(pk=query_id).first()
    if query is None:
        raise Refused(f"unknown callback query {query_id}", status=404)
    return {
        "id": str(query.pk),
        "answered": query.answered_at is not None,
        "text": query.text,
        "show_alert": query.show_alert,
        "created_at": query.created_at,
        "answered_at": query.answered_at,
    }


def list_messages(params: Params, *, chat: Chat) -> Json:
    """Changed since `after`, oldest change first; ask again with the `event` of this answer.

    From the very beginning, `limit` leaves only the newest that many which still stand, those
    `before` a message if one is named; the `keyboard` in force below the chat comes with them.
    """
    after, limit = params.integer("after"), params.integer("limit")
    messages = Message.objects.filter(chat=chat, event__gt=after)
    # Asked before the rows: what comes in between is told again rather than lost.
    newest = messages.aggregate(newest=Max("event"))["newest"] or after
    if limit > 0 and after <= 0:
        messages = _page(messages, limit=limit, before=bounded(params.integer("before")))
    changed = messages.select_related("file", "reply_to").defer("file__content")
    rows = message_rows(changed.order_by("event", "message_id"))
    answer = {"messages": rows, "event": max([newest, *(row["event"] for row in rows)])}
    return answer if after > 0 else answer | {"keyboard": _reply_keyboard(chat)}


def _page(messages: QuerySet[Message], *, limit: int, before: int) -> QuerySet[Message]:
    standing = messages.filter(is_deleted=False)
    if before:
        standing = standing.filter(message_id__lt=before)
    return messages.filter(pk__in=standing.order_by("-message_id").values("pk")[:limit])


def _reply_keyboard(chat: Chat) -> Json | None:
    """Of the newest message that brings a keyboard or takes it away."""
    standing = Message.objects.filter(chat=chat, is_deleted=False)
    row = (
        standing.filter(reply_markup__has_any_keys=["keyboard", "remove_keyboard"])
        .order_by("-message_id")
        .values("message_id", "reply_markup")
        .first()
    )
    return dict(row) if row else None


def show_file(request: HttpRequest, path: str) -> HttpResponse:  # noqa: ARG001 - a view
    """A picture is shown; anything else is downloaded and never interpreted."""
    file = find_by_path(path)
    if file is None:
        return JsonResponse({"error": "unknown file"}, status=404)
    is_shown = file.kind != File.Kind.DOCUMENT
    response = HttpResponse(bytes(file.content))
    response["Content-Type"] = file.mime_type if is_shown else "application/octet-stream"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=86400, immutable"  # paths are not used again
    # An uploaded SVG is a document in its own right: no script of it may run.
    response["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    response.headers["Content-Disposition"] = _disposition(file, is_shown=is_shown)
    return response


def _disposition(file: File, *, is_shown: bool) -> str:
    return content_disposition_header(not is_shown, file.name) or "attachment"
