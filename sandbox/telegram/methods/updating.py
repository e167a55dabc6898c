"""getUpdates, setWebhook, deleteWebhook, getWebhookInfo."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from sandbox.telegram import signals, update_queue, webhook
from sandbox.telegram.errors import bad_request
from sandbox.telegram.longpoll import allowed_updates, get_updates
from sandbox.telegram.methods.base import Json, Method
from sandbox.telegram.params import Params
from sandbox.telegram.state import change_state, read_state

_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


def set_webhook(params: Params) -> bool:
    """An http address is taken, as by a local Bot API server; an empty one deletes."""
    url = params.text("url")
    if not url:
        return delete_webhook(params)
    secret = params.text("secret_token")
    _check_address(url, secret)
    settings: dict[str, Any] = {"webhook_url": url, "webhook_secret": secret}
    settings |= {"webhook_failed_at": None, "webhook_failure": ""}
    settings["webhook_max_connections"] = min(max(params.integer("max_connections", 40), 1), 100)
    allowed = allowed_updates(params)
    change_state(**settings if allowed is None else settings | {"allowed_updates": allowed})
    _clear_if_wanted(params)
    signals.notify()
    transaction.on_commit(webhook.start)
    return True


def _check_address(url: str, secret: str) -> None:
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address:
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if secret and not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")


def delete_webhook(params: Params) -> bool:
    change_state(webhook_url="", webhook_secret="", webhook_failed_at=None, webhook_failure="")
    _clear_if_wanted(params)
    signals.notify()
    return True


def _clear_if_wanted(params: Params) -> None:
    if params.flag("drop_pending_updates"):
        update_queue.clear()


def get_webhook_info(params: Params) -> Json:  # noqa: ARG001 - every method takes its arguments
    state = read_state()
    info: Json = {
        "url": state.webhook_url,
        "has_custom_certificate": False,
        "pending_update_count": update_queue.count(),
    }
    if state.allowed_updates:
        info["allowed_updates"] = state.allowed_updates
    if not state.webhook_url:
        return info
    transaction.on_commit(webhook.start)  # after a restart nobody may be delivering yet
    info["max_connections"] = state.webhook_max_connections
    if state.webhook_failed_at is not None:
        info["last_error_date"] = int(state.webhook_failed_at.timestamp())
        info["last_error_message"] = state.webhook_failure
    return info


METHODS = [
    Method("getUpdates", get_updates, waits=True),
    Method("setWebhook", set_webhook),
    Method("deleteWebhook", delete_webhook),
    Method("getWebhookInfo", get_webhook_info),
]
