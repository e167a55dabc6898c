"""sendMessage, sendPhoto, sendDocument, sendSticker, sendMediaGroup."""

import secrets
from typing import Any

from sandbox.telegram import bot
from sandbox.telegram.chats import hold_for_sending, required_id
from sandbox.telegram.errors import bad_request
from sandbox.telegram.files import file_argument, media_fields, resolve_file
from sandbox.telegram.keyboards import any_markup
from sandbox.telegram.messages import Draft, message_json, reply_argument, write_message
from sandbox.telegram.methods.base import Json, Method
from sandbox.telegram.models import File
from sandbox.telegram.params import Params
from sandbox.telegram.text import message_caption, message_text


def send_message(params: Params) -> Json:
    return post(params, with_link_preview(params, message_text(params)))


def with_link_preview(params: Params, body: Json) -> Json:
    options = params.parsed("link_preview_options", what="link preview options")
    if options is not None and not isinstance(options, dict):
        raise bad_request("object expected as link preview options")
    return body | {"link_preview_options": options} if options else body


def send_photo(params: Params) -> Json:
    return _send_captioned(params, File.Kind.PHOTO)


def send_document(params: Params) -> Json:
    return _send_captioned(params, File.Kind.DOCUMENT)


def _send_captioned(params: Params, kind: File.Kind) -> Json:
    caption = message_caption(params)
    required_id(params)
    return post_file(params, file_argument(params, kind.value, kind), caption)


def send_sticker(params: Params) -> Json:
    required_id(params)
    return post_file(params, file_argument(params, "sticker", File.Kind.STICKER), {})


def post_file(params: Params, file: File, caption: Json) -> Json:
    return post(params, media_fields(file) | caption, file=file)


def post(params: Params, body: Json, *, file: File | None = None) -> Json:
    markup = any_markup(params)
    reply_to = reply_argument(params, required_id(params))
    held = hold_for_sending(params)
    draft = Draft(with_protection(params, body), markup, file, reply_to)
    return message_json(write_message(held, draft, sender_id=bot.bot_id()))


def with_protection(params: Params, body: Json) -> Json:
    return body | {"has_protected_content": True} if params.flag("protect_content") else body


def send_media_group(params: Params) -> list[Json]:
    media = params.parsed("media", what="media")
    if not isinstance(media, list) or not all(isinstance(item, dict) for item in media):
        raise bad_request("expected an Array of InputMedia")
    if not 2 <= len(media) <= 10:
        raise bad_request("media group must include 2-10 items")
    if len({str(item.get("type")) for item in media}) > 1:
        raise bad_request("document can't be mixed with other media types")
    items = [input_media(params, item) for item in media]
    return _post_group(params, items)


def _post_group(params: Params, items: list[tuple[File, Json]]) -> list[Json]:
    reply_to = reply_argument(params, required_id(params))
    held = hold_for_sending(params, new_messages=len(items))
    group = {"media_group_id": str(secrets.randbits(53))}
    sent = []
    for back, (file, body) in zip(reversed(range(len(items))), items, strict=True):
        draft = Draft(with_protection(params, body | group), None, file, reply_to)
        sent.append(write_message(held, draft, sender_id=bot.bot_id(), back=back))
    return [message_json(message) for message in sent]


_INPUT_KINDS = {"photo": File.Kind.PHOTO, "document": File.Kind.DOCUMENT}


def input_media(params: Params, item: Any) -> tuple[File, Json]:
    """An InputMedia as its file and the content fields of its message."""
    if not isinstance(item, dict):
        raise bad_request("object expected as InputMedia")
    kind = _INPUT_KINDS.get(str(item.get("type")))
    if kind is None:
        raise bad_request("can't parse InputMedia: type must be photo or document")
    arguments = Params(item, params.files)
    caption = message_caption(arguments)
    file = resolve_file(params, arguments.text("media"), kind)
    return file, media_fields(file) | caption


METHODS = [
    Method("sendMessage", send_message, is_send=True),
    Method("sendPhoto", send_photo, is_send=True),
    Method("sendDocument", send_document, is_send=True),
    Method("sendSticker", send_sticker, is_send=True),
    Method("sendMediaGroup", send_media_group, is_send=True),
]
