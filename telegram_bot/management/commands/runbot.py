"""Runs the bot until it is told to stop, by polling or by webhook."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from telegram_bot.running import TokenRefused, run_bot


class Command(BaseCommand):
    help = "Run the Telegram bot (polling, or a webhook when TELEGRAM_MODE says so)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--webhook", action="store_true", help="receive updates by webhook")

    def handle(self, *args: Any, **options: Any) -> None:
        by_webhook = options["webhook"] or settings.TELEGRAM_MODE == "webhook"
        if by_webhook and len(settings.TELEGRAM_WEBHOOK_SECRET) < 16:
            raise CommandError("TELEGRAM_WEBHOOK_SECRET must have at least 16 characters.")
        try:
            run_bot(by_webhook=by_webhook)
        except TokenRefused as error:
            raise CommandError("Telegram refuses TELEGRAM_BOT_TOKEN: check it.") from error
