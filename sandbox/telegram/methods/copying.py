"""copyMessage and forwardMessage."""

from sandbox.telegram import bot
from sandbox.telegram.chats import find_chat, hold_for_sending, required_id, sender_json
from sandbox.telegram.errors import bad_request
from sandbox.telegram.keyboards import any_markup
from sandbox.telegram.messages import (
    MEDIA_FIELDS,
    Draft,
    is_service,
    message_argument,
    message_json,
    reply_argument,
    write_message,
)
from sandbox.telegram.methods.base import Json, Method
from sandbox.telegram.methods.sending import with_protection
from sandbox.telegram.models import Message
from sandbox.telegram.params import Params
from sandbox.telegram.text import message_caption

_CONTENT = ("text", "entities", "caption", "caption_entities", *MEDIA_FIELDS)


def copy_message(params: Params) -> Json:
    source = _source(params, verb="copy")
    body = {name: source.body[name] for name in _CONTENT if name in source.body}
    if "caption" in params.values and "text" not in body:
        body = {name: body[name] for name in MEDIA_FIELDS if name in body}
        body |= message_caption(params)
    markup = any_markup(params)
    reply_to = reply_argument(params, required_id(params))
    held = hold_for_sending(params)
    draft = Draft(with_protection(params, body), markup, source.file, reply_to)
    message = write_message(held, draft, sender_id=bot.bot_id())
    return {"message_id": message.message_id}


def forward_message(params: Params) -> Json:
    source = _source(params, verb="forward")
    body = {name: source.body[name] for name in _CONTENT if name in source.body}
    body["forward_origin"] = source.body.get("forward_origin") or {
        "type": "user",
        "sender_user": sender_json(source.sender_id, source.chat),
        "date": int(source.sent_at.timestamp()),
    }
    held = hold_for_sending(params)
    draft = Draft(with_protection(params, body), None, source.file)
    return message_json(write_message(held, draft, sender_id=bot.bot_id()))


def _source(params: Params, *, verb: str) -> Message:
    chat = find_chat(params, "from_chat_id")
    message = message_argument(params, chat, purpose=f"to {verb}")
    if is_service(message.body) or message.body.get("has_protected_content"):
        raise bad_request(f"message can't be {verb.removesuffix('y')}{_ENDINGS[verb]}")
    return message


_ENDINGS = {"copy": "ied", "forward": "ed"}

METHODS = [
    Method("copyMessage", copy_message, is_send=True),
    Method("forwardMessage", forward_message, is_send=True),
]
