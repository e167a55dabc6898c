"""editMessageText, -Caption, -Media, -ReplyMarkup and deleteMessage."""

from collections.abc import Callable

from sandbox.telegram.chats import HeldChat, check_writable, hold_chat, required_id
from sandbox.telegram.errors import bad_request
from sandbox.telegram.keyboards import inline_markup
from sandbox.telegram.messages import (
    MEDIA_FIELDS,
    Draft,
    change_message,
    check_own_and_editable,
    message_argument,
    message_json,
)
from sandbox.telegram.messages import delete_message as delete
from sandbox.telegram.methods.base import Json, Method
from sandbox.telegram.methods.sending import input_media, with_link_preview
from sandbox.telegram.models import File, Message
from sandbox.telegram.params import Params
from sandbox.telegram.text import message_caption, message_text

_TEXT = frozenset({"text", "entities", "link_preview_options"})
_CAPTION = frozenset({"caption", "caption_entities"})
_MEDIA = frozenset(MEDIA_FIELDS)

Change = Callable[[Message], tuple[Json, File | None]]


def edit_message_text(params: Params) -> Json:
    content = with_link_preview(params, message_text(params))

    def change(message: Message) -> tuple[Json, File | None]:
        if "text" not in message.body:
            raise bad_request("there is no text in the message to edit")
        return _without(message, _TEXT) | content, None

    return _edit(params, change)


def edit_message_caption(params: Params) -> Json:
    caption = message_caption(params)

    def change(message: Message) -> tuple[Json, File | None]:
        if "photo" not in message.body and "document" not in message.body:
            raise bad_request("there is no caption in the message to edit")
        return _without(message, _CAPTION) | caption, message.file

    return _edit(params, change)


def edit_message_media(params: Params) -> Json:
    """Also over a text message: "to add media to text messages" (Bot API)."""
    file, content = input_media(params, params.parsed("media", what="media"))

    def change(message: Message) -> tuple[Json, File | None]:
        if "sticker" in message.body:
            raise bad_request("message can't be edited")
        return _without(message, _TEXT | _CAPTION | _MEDIA) | content, file

    return _edit(params, change)


def edit_message_reply_markup(params: Params) -> Json:
    return _edit(params, lambda message: (message.body, message.file))


def _without(message: Message, names: frozenset[str]) -> Json:
    return {name: value for name, value in message.body.items() if name not in names}


def _edit(params: Params, change: Change) -> Json:
    markup = inline_markup(params)
    held, message = _held_message(params, purpose="to edit")
    check_own_and_editable(message)
    body, file = change(message)
    change_message(held, message, Draft(body, markup, file))
    return message_json(message)


def _held_message(params: Params, *, purpose: str) -> tuple[HeldChat, Message]:
    if params.has("inline_message_id"):
        raise bad_request("MESSAGE_ID_INVALID")  # nobody has chosen an inline result here
    held = hold_chat(required_id(params))
    check_writable(held.chat)
    return held, message_argument(params, held.chat, purpose=purpose)


def delete_message(params: Params) -> bool:
    held, message = _held_message(params, purpose="to delete")
    delete(held, message)
    return True


METHODS = [
    Method("editMessageText", edit_message_text),
    Method("editMessageCaption", edit_message_caption),
    Method("editMessageMedia", edit_message_media),
    Method("editMessageReplyMarkup", edit_message_reply_markup),
    Method("deleteMessage", delete_message),
]
