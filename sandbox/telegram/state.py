"""The bot's own configuration: one row, made when it is first changed."""

from typing import Any

from django.conf import settings

from sandbox.telegram.models import Bot

# Kinds that a bot only gets when it names them.
NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


def read_state() -> Bot:
    return Bot.objects.filter(pk=Bot.ROW).first() or Bot(pk=Bot.ROW)


def change_state(**fields: Any) -> None:
    if not Bot.objects.filter(pk=Bot.ROW).update(**fields):
        Bot.objects.update_or_create(pk=Bot.ROW, defaults=fields)


def wants(state: Bot, kind: str) -> bool:
    if state.allowed_updates:
        return kind in state.allowed_updates
    return kind not in NOT_BY_DEFAULT


def limits_on(switch: bool | None) -> bool:
    """Null: never switched at run time, so the setting holds."""
    return bool(getattr(settings, "SANDBOX_LIMITS", False)) if switch is None else switch
