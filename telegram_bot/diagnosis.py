"""What Telegram says about our bot, for `manage.py doctor`."""

from dataclasses import dataclass
from datetime import datetime

from asgiref.sync import async_to_sync
from telegram import Bot
from telegram.error import InvalidToken, TelegramError

from telegram_bot import client


class TokenRefused(Exception):
    """Telegram does not know this token. The error of the library would print it."""


class Unreachable(Exception):
    """No answer; the text is the kind of error only."""


@dataclass(frozen=True)
class TelegramReport:
    """`waiting` updates, `failed_at` and `failure` are of the webhook, as getWebhookInfo says."""

    username: str
    webhook_url: str
    waiting: int
    failed_at: datetime | None
    failure: str


def ask_telegram() -> TelegramReport:
    """Ask getMe and getWebhookInfo; raise TokenRefused or Unreachable."""
    try:
        return async_to_sync(_ask)()
    except InvalidToken:
        raise TokenRefused from None
    except TelegramError as error:
        raise Unreachable(type(error).__name__) from None


async def _ask() -> TelegramReport:
    request = client.build_request(connections=1)
    await request.initialize()
    try:
        return await _report(client.build_bot(request))
    finally:
        await request.shutdown()


async def _report(bot: Bot) -> TelegramReport:
    me = await bot.get_me()
    webhook = await bot.get_webhook_info()
    return TelegramReport(
        username=me.username or "",
        webhook_url=webhook.url,
        waiting=webhook.pending_update_count,
        failed_at=webhook.last_error_date,
        failure=webhook.last_error_message or "",
    )
