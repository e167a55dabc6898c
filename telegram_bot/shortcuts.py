"""Render a template to a screen, and the path of a button."""

import re
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import Customer
from telegram_bot.requests import BotRequest
from telegram_bot.screens import Buttons, Screen

URLCONF = "telegram_bot.urls"
_VERBATIM = re.compile(r"(<code>.*?</code>|<pre>.*?</pre>)", re.DOTALL)


def path_to(name: str, *args: object) -> str:
    return reverse(name, urlconf=URLCONF, args=args)


def render(
    request: BotRequest,
    template: str,
    context: dict[str, Any] | None = None,
    *,
    buttons: Buttons = (),
    **screen_fields: Any,
) -> Screen:
    """Render `template` in the language that is active; the rest are fields of Screen."""
    text = render_text(template, {"customer": request.customer, **(context or {})})
    return Screen(text, buttons=buttons, **screen_fields)


def render_text(template: str, context: dict[str, Any] | None = None) -> str:
    """Render Telegram HTML. Every template knows the store's name and contacts."""
    return tidy(render_to_string(template, {**store_context(), **(context or {})}))


def store_context() -> dict[str, str]:
    return {
        "store_name": settings.STORE_NAME,
        "bot_name": settings.BOT_NAME,
        "bot_username": settings.BOT_USERNAME,
        "support_contact": settings.SUPPORT_CONTACT,
        "documentation_url": settings.DOCUMENTATION_URL,
    }


def tidy(markup: str) -> str:
    """Drop indentation and surplus empty lines of a template; goods in <code> stay as they are."""
    parts = _VERBATIM.split(markup)
    parts[::2] = [_tidy_lines(part) for part in parts[::2]]
    return "".join(parts).strip()


def _tidy_lines(part: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]*\n[ \t]*", "\n", part))


def language_of(customer: Customer | None) -> str:
    """The customer's choice, then their Telegram language, then the store's."""
    supported = dict(settings.LANGUAGES)
    chosen = (customer.language, customer.telegram_language) if customer is not None else ()
    for code in chosen:
        if (base := code.replace("_", "-").split("-")[0].lower()) in supported:
            return base
    return str(settings.STORE_LANGUAGE)
