"""Commands, and the labels of the reply keyboard that stand for one."""

from collections.abc import Callable

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from telegram_bot.requests import BotRequest
from telegram_bot.screens import Screen
from telegram_bot.views import catalog, language, menu, orders
from telegram_bot.views import help as help_pages

View = Callable[[BotRequest], Screen]

COMMANDS: dict[str, View] = {
    "start": menu.start,
    "stock": catalog.stock,
    "order": help_pages.how_to_order,
    "help": help_pages.help_page,
    "language": language.languages,
    "cancel": menu.menu,
}
DESCRIPTIONS: dict[str, str] = {
    "start": gettext_noop("Main menu"),
    "stock": gettext_noop("What is in stock"),
    "order": gettext_noop("How to order"),
    "help": gettext_noop("Help"),
    "language": gettext_noop("Change the language"),
    "cancel": gettext_noop("Back to the menu"),
}
LABELS: dict[str, View] = {
    gettext_noop("PRODUCT LIST"): catalog.products,
    gettext_noop("STOCK"): catalog.stock,
    gettext_noop("ORDER HISTORY"): orders.history,
    gettext_noop("HELP"): help_pages.help_page,
}


def find_label(text: str) -> View | None:
    """Return the view of a reply-keyboard button: its exact label in any language."""
    for code, _ in settings.LANGUAGES:
        with translation.override(code):
            for label, view in LABELS.items():
                if gettext(label) == text:
                    return view
    return None
