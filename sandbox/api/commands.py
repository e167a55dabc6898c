"""The bot's menu of commands as one person sees it in one chat."""

import json
from typing import Any

from sandbox.api.http import Json, find_chat
from sandbox.telegram.models import Chat, CommandList
from sandbox.telegram.params import Params, as_integer


def show(params: Params) -> Json:
    """`from_id` only matters in a group; without `language_code` the person's own counts."""
    chat = find_chat(params.integer("chat_id"))
    user_id = params.integer("from_id", chat.pk)
    language = params.text("language_code") or chat.language_code
    return {"commands": _commands(chat, user_id, language)}


def _commands(chat: Chat, user_id: int, language: str) -> list[Json]:
    """Most specific first, in each scope the language before the list for all (Bot API,
    "Determining list of commands")."""
    lists = [(json.loads(each.scope), each) for each in CommandList.objects.exclude(commands=[])]
    for wanted in _scopes(chat, user_id):
        for code in (language, ""):
            for scope, found in lists:
                if _same(scope, wanted) and found.language_code == code:
                    return list(found.commands)
    return []


def _scopes(chat: Chat, user_id: int) -> list[dict[str, Any]]:
    this_chat = {"type": "chat", "chat_id": chat.pk}
    if chat.kind == Chat.Kind.PRIVATE:
        return [this_chat, {"type": "all_private_chats"}, {"type": "default"}]
    member = {"type": "chat_member", "chat_id": chat.pk, "user_id": user_id}
    return [member, this_chat, {"type": "all_group_chats"}, {"type": "default"}]


def _same(scope: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Ids may have been sent as text."""
    return scope.get("type") == wanted["type"] and all(
        as_integer(scope.get(name)) == wanted[name] for name in wanted if name != "type"
    )
