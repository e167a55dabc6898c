"""The list of chats beside a conversation."""

from functools import reduce
from operator import or_

from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields import BigIntegerField

from sandbox.api.http import Json
from sandbox.api.rows import NOBODY, Names, full_name, names_of, preview
from sandbox.telegram import bot
from sandbox.telegram.messages import bounded
from sandbox.telegram.models import Chat, Message
from sandbox.telegram.params import Params, as_integer

CHATS_SHOWN = 60
SILENT_SHOWN = 10


def show(params: Params) -> Json:
    """`seen=<chat>:<message>,…` counts what is newer as unread; `also=<chat>` is there anyway."""
    chats = _chats_in_order(also=params.integer("also"))
    last = _last_messages(chats)
    unread = _count_unread(_seen(params.text("seen")))
    names = names_of(message.sender_id for message in last.values())
    me = bot.as_user()
    return {
        "bot": {"id": me["id"], "username": me["username"], "name": me["first_name"]},
        "chats": [
            _chat_json(chat, last.get(chat.pk), names) | {"unread": unread.get(chat.pk, 0)}
            for chat in chats
        ],
    }


def _seen(text: str) -> dict[int, int]:
    pairs = (part.partition(":") for part in text.split(",")[:CHATS_SHOWN] if part)
    seen = {as_integer(chat_id): as_integer(message_id) for chat_id, _, message_id in pairs}
    return {chat_id: bounded(message_id) for chat_id, message_id in seen.items() if chat_id}


def _count_unread(seen: dict[int, int]) -> dict[int, int]:
    """Count per chat what the bot wrote after the message that was seen last."""
    if not seen:
        return {}
    newer = reduce(
        or_,
        (Q(chat_id=chat_id, message_id__gt=message_id) for chat_id, message_id in seen.items()),
    )
    found = Message.objects.filter(newer, sender_id=bot.bot_id(), is_deleted=False)
    return dict(found.order_by().values_list("chat_id").annotate(Count("pk")))


def _chats_in_order(*, also: int) -> list[Chat]:
    """Whom one plays, then the newest chats nobody wrote in yet, then the latest."""
    known = [*(persona["id"] for persona in settings.SANDBOX_PERSONAS), _staff_chat_id()]
    chats = _with_newest_event().prefetch_related("memberships")
    found = chats.in_bulk(known)
    first = [found[chat_id] for chat_id in known if chat_id in found]
    others = chats.exclude(pk__in=known)
    first += others.filter(messages=None).order_by("-pk")[:SILENT_SHOWN]
    spoken = Exists(Message.objects.filter(chat=OuterRef("pk")))
    first += others.filter(spoken).order_by(F("newest").desc())[: CHATS_SHOWN - len(first)]
    if any(chat.pk == also for chat in first):
        return first
    return [*first, *others.filter(pk=also)]


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
