"""The commands Telegram lists behind the menu button of the chat."""

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext
from telegram import Bot, BotCommand

from telegram_bot.commands import DESCRIPTIONS


def commands_in(language: str) -> list[BotCommand]:
    with translation.override(language):
        return [BotCommand(name, gettext(text)) for name, text in DESCRIPTIONS.items()]


async def publish_commands(bot: Bot) -> None:
    """Set the list for every language of the store, and the store's own for all others."""
    await bot.set_my_commands(commands_in(settings.STORE_LANGUAGE))
    for language, _name in settings.LANGUAGES:
        await bot.set_my_commands(commands_in(language), language_code=language)
