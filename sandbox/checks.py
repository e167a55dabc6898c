from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error

from sandbox.telegram import bot


def check_sandbox_stands_alone(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001 - Django's signature
    **kwargs: Any,  # noqa: ARG001
) -> list[CheckMessage]:
    """A stand-in must never take a real shop's traffic: refuse a real token or production."""
    if not getattr(settings, "SANDBOX", False):
        return []
    found: list[CheckMessage] = []
    if getattr(settings, "TELEGRAM_BOT_TOKEN", "") not in {"", bot.DEMO_TOKEN, bot.token()}:
        found.append(
            Error(
                "SANDBOX is on beside a real TELEGRAM_BOT_TOKEN.",
                hint="Unset one of the two: the sandbox answers only to its own demo token.",
                id="sandbox.E001",
            )
        )
    if not settings.DEBUG:
        found.append(
            Error(
                "SANDBOX is on with DEBUG off.",
                hint="Set SANDBOX=off: anyone could drive the stand-ins of a public server.",
                id="sandbox.E002",
            )
        )
    return found
