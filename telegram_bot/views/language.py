"""/language: a customer's choice wins over what Telegram says."""

from dataclasses import replace

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.services.customers import choose_language
from telegram_bot import keyboards
from telegram_bot.requests import BotRequest
from telegram_bot.screens import Screen
from telegram_bot.shortcuts import render
from telegram_bot.views import menu
from telegram_bot.views.refusals import invalid_button


def languages(request: BotRequest) -> Screen:
    buttons = keyboards.languages(settings.LANGUAGES)
    return render(request, "telegram/language.html", buttons=buttons)


def choose(request: BotRequest, code: str) -> Screen:
    """Remember the choice and greet anew: the reply keyboard speaks the new language, too."""
    if code not in dict(settings.LANGUAGES):
        return invalid_button(request)
    choose_language(customer_id=request.customer.pk, language=code)
    with translation.override(code):
        screen = replace(menu.menu(request), before=(menu.greeting(request),), replaces=False)
        return replace(screen, notice=_("Language changed."))
