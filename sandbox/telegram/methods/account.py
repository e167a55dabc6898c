"""getMe, getChat, getChatMember, getFile, sendChatAction."""

from typing import Any

from sandbox.changes import tell
from sandbox.telegram import bot
from sandbox.telegram.chats import chat_json, check_writable, find_chat, person_json
from sandbox.telegram.errors import bad_request
from sandbox.telegram.files import DOWNLOAD_BYTES
from sandbox.telegram.methods.base import Json, Method
from sandbox.telegram.models import Chat, File
from sandbox.telegram.params import Params

_ABILITIES = {
    "can_join_groups": True,
    "can_read_all_group_messages": True,
    "supports_inline_queries": True,
    "can_connect_to_business": False,
    "has_main_web_app": False,
}
_NO_GIFTS = {
    "unlimited_gifts": False,
    "limited_gifts": False,
    "unique_gifts": False,
    "premium_subscription": False,
    "gifts_from_channels": False,
}
_ACTIONS = frozenset(
    [
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    ]
)


def get_me(params: Params) -> Json:  # noqa: ARG001 - every method takes its arguments
    return bot.as_user() | _ABILITIES


def get_chat(params: Params) -> Json:
    chat = find_chat(params)
    fields = {
        **chat_json(chat),
        "accent_color_id": abs(chat.pk) % 7,
        "max_reaction_count": 11,
        "accepted_gift_types": _NO_GIFTS,
    }
    if chat.kind != Chat.Kind.PRIVATE:
        fields["permissions"] = {"can_send_messages": True}
    return fields


def get_chat_member(params: Params) -> Json:
    chat = find_chat(params)
    user_id = params.integer("user_id")
    if user_id == bot.bot_id():
        return {"user": bot.as_user(), "status": "member"}
    person = Chat.objects.filter(pk=user_id, kind=Chat.Kind.PRIVATE).first()
    if person is None:
        raise bad_request("invalid user_id specified")
    is_member = chat.pk == user_id or chat.memberships.filter(user_id=user_id).exists()
    return {"user": person_json(person), "status": "member" if is_member else "left"}


def get_file(params: Params) -> Json:
    if not params.has("file_id"):
        raise bad_request("file_id not specified")
    file = File.objects.defer("content").filter(file_id=params.text("file_id")[:120]).first()
    if file is None:
        raise bad_request("invalid file_id")
    if file.size > DOWNLOAD_BYTES:
        raise bad_request("file is too big")
    return {
        "file_id": file.file_id,
        "file_unique_id": file.unique_id,
        "file_size": file.size,
        "file_path": file.path,
    }


def send_chat_action(params: Params) -> Any:
    action = params.text("action").lower()
    if action not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    chat = find_chat(params)
    check_writable(chat)
    tell(f"typing:{chat.pk}:{action}")
    return True


METHODS = [
    Method("getMe", get_me),
    Method("getChat", get_chat),
    Method("getChatMember", get_chat_member),
    Method("getFile", get_file),
    Method("sendChatAction", send_chat_action),
]
