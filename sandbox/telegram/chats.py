"""Chats and people, and which of them the bot may write to."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from sandbox import changes
from sandbox.telegram import bot
from sandbox.telegram.errors import bad_request, forbidden
from sandbox.telegram.models import Chat, Membership
from sandbox.telegram.params import Params, as_integer

SUPERGROUP_BASE = -1_002_000_000_000
GROUP_BASE = -1_000_000_000_000


def next_number(sequence: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s)", [sequence])
        return int(cursor.fetchone()[0])


def create_person(**details: str) -> Chat:
    number = next_number("sandbox_person_seq")
    if Chat.objects.filter(pk=number).exists():  # somebody asked for this id by name
        return create_person(**details)
    return Chat.objects.create(pk=number, kind=Chat.Kind.PRIVATE, **details)


def create_group(*, title: str, member_ids: Iterable[int]) -> Chat:
    number = GROUP_BASE - next_number("sandbox_group_seq")
    chat = Chat.objects.create(pk=number, kind=Chat.Kind.GROUP, title=title)
    add_members(chat, member_ids)
    return chat


def add_members(chat: Chat, member_ids: Iterable[int]) -> None:
    members = [Membership(chat=chat, user_id=user_id) for user_id in sorted(set(member_ids))]
    Membership.objects.bulk_create(members, ignore_conflicts=True)


def create_supergroup_of(group: Chat) -> Chat:
    """The group stays as a hull whose id answers only with the new one."""
    number = SUPERGROUP_BASE - next_number("sandbox_group_seq")
    chat = Chat.objects.create(pk=number, kind=Chat.Kind.SUPERGROUP, title=group.title)
    add_members(chat, group.memberships.values_list("user_id", flat=True))
    group.migrated_to = chat.pk
    group.save(update_fields=["migrated_to"])
    return chat


def chat_id_of(params: Params, name: str = "chat_id") -> int | None:
    """None for `@channel` names and what is no number: there are no public chats here."""
    return as_integer(params.values.get(name)) or None


@dataclass(frozen=True)
class HeldChat:
    """A chat whose row is locked until commit, so that its events come in order."""

    chat: Chat
    event: int


_HOLD = """
    WITH held AS (
        UPDATE sandbox_chat SET last_message_id = last_message_id + %s WHERE id = %s
        RETURNING *, nextval('sandbox_event_seq') AS event
    )
    SELECT *, pg_notify(%s, 'chat:' || id || ':' || event)::text AS told FROM held
"""


def hold_chat(chat_id: int, *, new_messages: int = 0) -> HeldChat:
    """Lock the chat, draw the number of this change, and reserve message ids."""
    for chat in Chat.objects.raw(_HOLD, [new_messages, chat_id, changes.CHANNEL]):
        return HeldChat(chat, event=getattr(chat, "event"))  # noqa: B009 - a column of _HOLD
    raise bad_request("chat not found")


def hold_for_sending(params: Params, *, new_messages: int = 1) -> HeldChat:
    held = hold_chat(required_id(params), new_messages=new_messages)
    check_writable(held.chat)
    return held


def find_chat(params: Params, name: str = "chat_id") -> Chat:
    chat = Chat.objects.filter(pk=required_id(params, name)).first()
    if chat is None:
        raise bad_request("chat not found")
    return chat


def required_id(params: Params, name: str = "chat_id") -> int:
    if not params.has(name):
        raise bad_request(f"{name} is empty")
    chat_id = chat_id_of(params, name)
    if chat_id is None:
        raise bad_request("chat not found")
    return chat_id


def check_writable(chat: Chat) -> None:
    if chat.migrated_to is not None:
        raise bad_request(
            "group chat was upgraded to a supergroup chat",
            {"migrate_to_chat_id": chat.migrated_to},
        )
    if chat.is_blocked and chat.kind == Chat.Kind.PRIVATE:
        raise forbidden("bot was blocked by the user")


def chat_json(chat: Chat) -> dict[str, Any]:
    if chat.kind != Chat.Kind.PRIVATE:
        return {"id": chat.pk, "title": chat.title, "type": chat.kind}
    return {"id": chat.pk, "type": chat.kind, **_names(chat)}


def person_json(person: Chat) -> dict[str, Any]:
    fields = {"id": person.pk, "is_bot": False, **_names(person)}
    if person.language_code:
        fields["language_code"] = person.language_code
    return fields


def _names(person: Chat) -> dict[str, str]:
    names = {"last_name": person.last_name, "username": person.username}
    return {"first_name": person.first_name} | {k: v for k, v in names.items() if v}


def sender_json(sender_id: int, chat: Chat) -> dict[str, Any]:
    if sender_id == bot.bot_id():
        return bot.as_user()
    if sender_id == chat.pk:
        return person_json(chat)
    person = Chat.objects.filter(pk=sender_id).first()
    if person is None:
        return {"id": sender_id, "is_bot": False, "first_name": "Deleted Account"}
    return person_json(person)
