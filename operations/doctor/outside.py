"""Telegram and the payment gateway: reachable, and do they take us for who we are?"""

from datetime import datetime, timedelta

from django.conf import settings

from core.ids import random_code
from operations.doctor.findings import Finding, ok, problem, warning
from payments.gateways import get_gateway
from payments.gateways.base import (
    GatewayRateLimited,
    GatewayRefused,
    GatewayUnauthorized,
    GatewayUnavailable,
)
from telegram_bot.diagnosis import TelegramReport, TokenRefused, Unreachable, ask_telegram

LATELY = timedelta(hours=1)
MANY_UPDATES = 100
NOT_FOUND = 404


def check_telegram(now: datetime) -> Finding:
    try:
        report = ask_telegram()
    except TokenRefused:
        return problem("TELEGRAM_BOT_TOKEN is refused", "Copy the token from @BotFather.")
    except Unreachable as error:
        advice = "Check this machine's way to TELEGRAM_API_BASE_URL."
        return problem(f"does not answer ({error})", advice)
    return _name(report) or _way(report, now)


def _name(report: TelegramReport) -> Finding | None:
    if settings.BOT_USERNAME.lower() == report.username.lower():
        return None
    text = f"the token is @{report.username}'s, not @{settings.BOT_USERNAME}'s"
    return warning(text, f"Set BOT_USERNAME={report.username}, or the token of the other bot.")


def _way(report: TelegramReport, now: datetime) -> Finding:
    if settings.TELEGRAM_MODE == "webhook":
        return _webhook(report, now)
    if report.webhook_url:
        advice = "Restart the bot, which removes it; nobody else may use this token."
        return problem("a webhook is set, so polling is refused", advice)
    return _updates(report, f"@{report.username} by polling")


def _webhook(report: TelegramReport, now: datetime) -> Finding:
    if report.webhook_url != settings.TELEGRAM_WEBHOOK_URL:
        advice = "Restart the bot, which sets TELEGRAM_WEBHOOK_URL."
        return problem("another webhook is set, or none", advice)
    if report.failed_at is not None and now - report.failed_at < LATELY:
        advice = "See that the proxy leads TELEGRAM_WEBHOOK_URL to the bot's own port."
        return warning(f"the webhook failed lately: {report.failure}", advice)
    return _updates(report, f"@{report.username} by webhook")


def _updates(report: TelegramReport, text: str) -> Finding:
    if report.waiting > MANY_UPDATES:
        return warning(f"{report.waiting:,} updates wait for the bot", "See whether it runs.")
    return ok(text)


def check_gateway(_now: datetime) -> Finding:
    """Ask about a transaction that cannot exist: that makes none, and needs an accepted key."""
    gateway = get_gateway()
    try:
        gateway.status(f"doctor-{random_code(12)}")
    except GatewayUnauthorized:
        advice = "Copy the API key from the gateway's project page into the settings."
        return problem(f"{gateway.name} does not accept our key", advice)
    except GatewayUnavailable as error:
        advice = "The shop goes on selling for balance; check this machine's way to the gateway."
        return problem(f"{gateway.name} gives no usable answer ({error.reason})", advice)
    except GatewayRateLimited:
        return ok(f"{gateway.name} answers, and is busy with us")
    except GatewayRefused as error:
        return _refusal(gateway.name, error)
    return ok(f"{gateway.name} answers and accepts our key")


def _refusal(name: str, error: GatewayRefused) -> Finding:
    if error.status_code != NOT_FOUND:
        advice = "Compare the project's slug and key with the gateway's project page."
        return warning(f"{name} refuses our question ({error.status_code})", advice)
    if "project" in error.message.lower():
        advice = "Compare the project's slug with the gateway's project page."
        return problem(f"{name} does not know our project", advice)
    return ok(f"{name} answers and accepts our key")
