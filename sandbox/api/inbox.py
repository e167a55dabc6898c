"""The list of chats beside a conversation."""

from django.conf import settings
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.fields import BigIntegerField

from sandbox.api.http import Json
from sandbox.api.rows import NOBODY, Names, full_name, names_of, preview
from sandbox.telegram import bot
from sandbox.telegram.models import Chat, Message
from sandbox.telegram.params import Params

CHATS_SHOWN = 60


def show(params: Params) -> Json:  # noqa: ARG001 - a handler
    chats = _chats_in_order()
    last = _last_messages(chats)
    names = names_of(message.sender_id for message in last.values())
    me = bot.as_user()
    return {
        "bot": {"id": me["id"], "username": me["username"], "name": me["first_name"]},
        "chats": [_chat_json(chat, last.get(chat.pk), names) for chat in chats],
    }


def _chats_in_order() -> list[Chat]:
    """Whom one plays first of all, then the latest; a chat nobody wrote in yet is the latest."""
    known = [*(persona["id"] for persona in settings.SANDBOX_PERSONAS), _staff_chat_id()]
    chats = _with_newest_event().prefetch_related("memberships")
    found = chats.in_bulk(known)
    first = [found[chat_id] for chat_id in known if chat_id in found]
    others = chats.exclude(pk__in=known).order_by(F("newest").desc(nulls_first=True), "-pk")
    return [*first, *others[: CHATS_SHOWN - len(first)]]


def _with_newest_event() -> QuerySet[Chat]:
    events = Message.objects.filter(chat=OuterRef("pk")).order_by("-event").values("event")
    return Chat.objects.annotate(newest=Subquery(events[:1], output_field=BigIntegerField()))


def _staff_chat_id() -> int:
    return int(settings.SANDBOX_STAFF_CHAT["id"])


def _last_messages(chats: list[Chat]) -> dict[int, Message]:
    """Return by chat the newest message that is not deleted."""
    here = [chat.pk for chat in chats]
    left = Message.objects.filter(chat_id__in=here, is_deleted=False)
    newest = left.order_by("chat_id", "-message_id").distinct("chat_id")
    return {message.chat_id: message for message in newest}


def _chat_json(chat: Chat, last: Message | None, names: Names) -> Json:
    is_private = chat.kind == Chat.Kind.PRIVATE
    return {
        "id": chat.pk,
        "kind": chat.kind,
        "title": full_name(chat) if is_private else chat.title,
        "first_name": chat.first_name,
        "username": chat.username or None,
        "language_code": chat.language_code or None,
        "role": _role(chat),
        "blocked": chat.is_blocked,
        "migrated_to": chat.migrated_to,
        "member_ids": sorted(member.user_id for member in chat.memberships.all()),
        "event": getattr(chat, "newest") or 0,  # noqa: B009 - an annotation
        "last": last and _last_json(last, names),
    }


def _role(chat: Chat) -> str:
    if chat.kind != Chat.Kind.PRIVATE:
        return "group"
    roles = {persona["id"]: str(persona["role"]) for persona in settings.SANDBOX_PERSONAS}
    return roles.get(chat.pk, "guest")


def _last_json(message: Message, names: Names) -> Json:
    return {
        "message_id": message.message_id,
        "from_id": message.sender_id,
        "from_bot": message.sender_id == bot.bot_id(),
        "from_name": names.get(message.sender_id, NOBODY),
        "date": int(message.sent_at.timestamp()),
        "preview": preview(message.body),
    }
