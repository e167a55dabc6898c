"""/help and /order: how the shop works."""

from core.models import store_settings
from telegram_bot import keyboards
from telegram_bot.requests import BotRequest
from telegram_bot.screens import Screen
from telegram_bot.shortcuts import render


def help_page(request: BotRequest) -> Screen:
    return render(request, "telegram/help.html", buttons=keyboards.only_menu())


def how_to_order(request: BotRequest) -> Screen:
    context = {"minutes": store_settings().payment_minutes}
    return render(request, "telegram/how_to_order.html", context, buttons=keyboards.only_menu())
