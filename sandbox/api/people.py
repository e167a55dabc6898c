"""Users and groups."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from sandbox.api.http import Json, Refused, find_person, takes
from sandbox.changes import tell
from sandbox.telegram import bot
from sandbox.telegram.chats import create_group, create_person, create_supergroup_of, hold_chat
from sandbox.telegram.messages import Draft, write_message
from sandbox.telegram.models import Chat
from sandbox.telegram.params import Params, as_integer
from sandbox.telegram.updates import push_blocking, push_message

NAME_LIMIT = 255
_DETAILS = ("first_name", "last_name", "username", "language_code")


def list_users(params: Params) -> Json:  # noqa: ARG001 - a handler
    people = Chat.objects.filter(kind=Chat.Kind.PRIVATE).order_by("pk")
    return {"users": [user_json(person) for person in people]}


@takes("id", *_DETAILS)
def create_user(params: Params) -> Json:
    """An `id` of one's own choice is taken, and taken again: for personas with known ids."""
    details = {name: params.text(name) for name in _DETAILS if name in params.values}
    details["first_name"] = details.get("first_name") or "User"
    if any(len(value) > NAME_LIMIT for value in details.values()):
        raise Refused(f"a name has at most {NAME_LIMIT} characters")
    if len(details.get("language_code", "")) > 16:
        raise Refused("no language code")
    with transaction.atomic():
        tell("chats")
        if not params.has("id"):
            return user_json(create_person(**details))
        return user_json(_person_with_id(params.integer("id"), details))


def _person_with_id(user_id: int, details: dict[str, str]) -> Chat:
    if user_id <= 0 or user_id == bot.bot_id():
        raise Refused("a user's id is a positive number and not the bot's")
    person, _ = Chat.objects.update_or_create(
        pk=user_id, defaults={"kind": Chat.Kind.PRIVATE, **details}
    )
    return person


def show_user(params: Params, *, user_id: int) -> Json:  # noqa: ARG001 - a handler
    return user_json(find_person(user_id))


def user_json(person: Chat) -> Json:
    return {
        "id": person.pk,
        "first_name": person.first_name,
        "last_name": person.last_name or None,
        "username": person.username or None,
        "language_code": person.language_code or None,
        "blocked": person.is_blocked,
    }


@takes()
def block(params: Params, *, user_id: int) -> Json:  # noqa: ARG001 - a handler
    return _set_blocked(user_id, is_blocked=True)


@takes()
def unblock(params: Params, *, user_id: int) -> Json:  # noqa: ARG001 - a handler
    return _set_blocked(user_id, is_blocked=False)


def _set_blocked(user_id: int, *, is_blocked: bool) -> Json:
    """The bot hears of a change only; the same again is no change."""
    find_person(user_id)
    with transaction.atomic():
        person = hold_chat(user_id).chat
        if person.is_blocked == is_blocked:
            return {"update_id": None}
        person.is_blocked = is_blocked
        person.save(update_fields=["is_blocked"])
        tell("chats")
        return {"update_id": push_blocking(person, at=int(timezone.now().timestamp()))}


def list_chats(params: Params) -> Json:  # noqa: ARG001 - a handler
    groups = Chat.objects.exclude(kind=Chat.Kind.PRIVATE).order_by("-pk")
    return {"chats": [group_json(group) for group in groups.prefetch_related("memberships")]}


@takes("title", "member_ids")
def create_chat(params: Params) -> Json:
    members = params.parsed("member_ids", what="member ids") or []
    if not isinstance(members, list) or not all(as_integer(member) > 0 for member in members):
        raise Refused("member_ids is a list of user ids")
    title = params.text("title") or "Group"
    with transaction.atomic():
        group = create_group(title=title, member_ids=[as_integer(member) for member in members])
        tell("chats")
    return group_json(group)


def group_json(group: Chat) -> Json:
    return {
        "id": group.pk,
        "title": group.title,
        "type": group.kind,
        "member_ids": sorted(member.user_id for member in group.memberships.all()),
        "migrated_to": group.migrated_to,
    }


@takes("from_id")
def migrate(params: Params, *, chat: Chat) -> Json:
    """A group becomes a supergroup with an id of its own; both chats say so."""
    actor_id = params.integer("from_id") or bot.bot_id()
    with transaction.atomic():
        held = hold_chat(chat.pk, new_messages=1)
        if held.chat.kind != Chat.Kind.GROUP or held.chat.migrated_to is not None:
            raise Refused("only a group that is not migrated yet becomes a supergroup")
        supergroup = create_supergroup_of(held.chat)
        _announce(chat.pk, actor_id, {"migrate_to_chat_id": supergroup.pk}, reserved=True)
        _announce(supergroup.pk, actor_id, {"migrate_from_chat_id": chat.pk})
        tell("chats")
    return group_json(supergroup)


def _announce(
    chat_id: int, actor_id: int, body: dict[str, Any], *, reserved: bool = False
) -> None:
    held = hold_chat(chat_id, new_messages=0 if reserved else 1)
    push_message(write_message(held, Draft(body), sender_id=actor_id))
