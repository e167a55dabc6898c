"""setMyCommands, getMyCommands, deleteMyCommands."""

import json
import re
from typing import Any

from sandbox.telegram.errors import bad_request
from sandbox.telegram.methods.base import Json, Method
from sandbox.telegram.models import CommandList
from sandbox.telegram.params import Params

COMMAND_LIMIT = 100
_NAME = re.compile(r"[a-z0-9_]{1,32}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_SCOPES = frozenset(
    [
        "default",
        "all_private_chats",
        "all_group_chats",
        "all_chat_administrators",
        "chat",
        "chat_administrators",
        "chat_member",
    ]
)


def set_my_commands(params: Params) -> bool:
    commands = params.parsed("commands", what="commands")
    if not isinstance(commands, list):
        raise bad_request("expected an Array of BotCommand")
    if len(commands) > COMMAND_LIMIT:
        raise bad_request("can't set more than 100 bot commands")
    checked = [_checked_command(command) for command in commands]
    audience = _audience(params)
    CommandList.objects.update_or_create(defaults={"commands": checked}, **audience)
    return True


def get_my_commands(params: Params) -> list[Json]:
    found = CommandList.objects.filter(**_audience(params)).first()
    return list(found.commands) if found else []


def delete_my_commands(params: Params) -> bool:
    CommandList.objects.filter(**_audience(params)).delete()
    return True


def _audience(params: Params) -> dict[str, Any]:
    scope = params.parsed("scope", what="bot command scope") or {"type": "default"}
    if not isinstance(scope, dict) or str(scope.get("type")) not in _SCOPES:
        raise bad_request("can't parse BotCommandScope: unsupported type specified")
    language = params.text("language_code")
    if language and not _LANGUAGE.fullmatch(language):
        raise bad_request("invalid language code specified")
    return {"scope": json.dumps(scope, sort_keys=True), "language_code": language}


def _checked_command(command: Any) -> Json:
    if not isinstance(command, dict):
        raise bad_request("expected an Object of BotCommand")
    name = str(command.get("command", "")).removeprefix("/")
    description = str(command.get("description", "")).strip()
    if not _NAME.fullmatch(name):
        raise bad_request("BOT_COMMAND_INVALID")
    if not 1 <= len(description) <= 256:
        raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": name, "description": description}


METHODS = [
    Method("setMyCommands", set_my_commands),
    Method("getMyCommands", get_my_commands),
    Method("deleteMyCommands", delete_my_commands),
]
