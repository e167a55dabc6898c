"""Where everything starts: /start, the main menu, /cancel."""

from dataclasses import replace

from django.conf import settings

from orders.selectors import find_product_by_number, store_totals
from telegram_bot import keyboards, reply_keyboards
from telegram_bot.paths import find_number
from telegram_bot.requests import BotRequest
from telegram_bot.screens import Screen
from telegram_bot.shortcuts import render
from telegram_bot.views import catalog

DEEP_LINK = "p_"


def start(request: BotRequest) -> Screen:
    """Greet with the reply keyboard, then the menu, or the product of a link `?start=p_101`."""
    product = _linked_product(request)
    if product is None:
        return _greeted(request, menu(request))
    return _greeted(request, product) if request.is_new else product


def _linked_product(request: BotRequest) -> Screen | None:
    number = find_number(request.text.strip().removeprefix(DEEP_LINK))
    if number is None or not request.text.strip().startswith(DEEP_LINK):
        return None
    product = find_product_by_number(number=number)
    if product is None:
        return catalog.unknown_number(request, number)
    return catalog.product(request, product.pk)


def _greeted(request: BotRequest, screen: Screen) -> Screen:
    sticker = settings.TELEGRAM_WELCOME_STICKER if request.is_new else ""
    return replace(screen, before=(greeting(request),), sticker=sticker)


def greeting(request: BotRequest) -> Screen:
    return render(
        request,
        "telegram/greeting.html",
        reply_keyboard=reply_keyboards.remember(request.customer.pk, keyboards.reply_keyboard()),
    )


def menu(request: BotRequest) -> Screen:
    context = {"totals": store_totals()}
    return render(request, "telegram/menu.html", context, buttons=keyboards.menu())


def new_menu(request: BotRequest) -> Screen:
    """The menu below a message that must stay, such as delivered goods."""
    return replace(menu(request), replaces=False)
