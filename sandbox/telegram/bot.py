"""The one bot that this stand-in knows."""

from typing import Any

from django.conf import settings

DEMO_TOKEN = "900000000:SANDBOX-demo-token-not-a-secret"  # noqa: S105 - published on purpose


def token() -> str:
    return str(getattr(settings, "SANDBOX_BOT_TOKEN", "") or DEMO_TOKEN)


def bot_id() -> int:
    return int(token().partition(":")[0])


def username() -> str:
    return str(getattr(settings, "SANDBOX_BOT_USERNAME", "") or "quickcart_demo_bot")


def as_user() -> dict[str, Any]:
    """The bot as the API's User object."""
    return {
        "id": bot_id(),
        "is_bot": True,
        "first_name": str(getattr(settings, "SANDBOX_BOT_NAME", "") or "QuickCart Demo"),
        "username": username(),
    }
