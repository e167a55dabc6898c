"""Delivers updates to the bot's webhook: in order, one at a time, until the bot takes each."""

import logging
import threading
import time
from typing import Any

import httpx
from django.db import DatabaseError, connection
from django.utils import timezone

from sandbox.telegram import update_queue
from sandbox.telegram.models import Bot, Update
from sandbox.telegram.signals import listening
from sandbox.telegram.state import change_state, read_state

logger = logging.getLogger(__name__)

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name
FIRST_RETRY, LAST_RETRY = 0.25, 5.0
_SENDER_LOCK = 7_102  # one thread of all processes delivers
_LINGER = 10.0
_STANDBY = 0.5

_guard = threading.Lock()
_thread: threading.Thread | None = None


def start() -> None:
    """Have a thread of this process deliver; it ends when nothing came for a while."""
    global _thread  # noqa: PLW0603 - one sender a process
    with _guard:
        if _thread is None:
            _thread = threading.Thread(target=_run, name="sandbox-webhook", daemon=True)
            _thread.start()


def _run() -> None:
    try:
        while True:
            _deliver_if_alone()
            if _may_end():
                return
    except DatabaseError:
        logger.exception("webhook sender stopped; the next update starts it again")
    finally:
        connection.close()
        _forget_thread()


def _may_end() -> bool:
    """Decided under the guard: whoever appends an update afterwards starts a new thread."""
    with _guard:
        if _has_work():
            return False
        _clear_thread()
        return True


def _forget_thread() -> None:
    with _guard:
        _clear_thread()


def _clear_thread() -> None:
    global _thread  # noqa: PLW0603 - one sender a process
    if _thread is threading.current_thread():  # else a successor is at work already
        _thread = None


def _has_work() -> bool:
    return bool(read_state().webhook_url) and Update.objects.exists()


def _deliver_if_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_SENDER_LOCK])
        if not cursor.fetchone()[0]:
            time.sleep(_STANDBY)
            return
        try:
            _deliver_until_quiet()
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_SENDER_LOCK])


def _deliver_until_quiet() -> None:
    pause = FIRST_RETRY
    with listening() as wait, httpx.Client(timeout=30) as client:
        quiet_since = time.monotonic()
        while (state := read_state()).webhook_url:
            update = next(iter(update_queue.read(1)), None)
            if update is None:
                if time.monotonic() - quiet_since >= _LINGER:
                    return
                wait(_LINGER)
            elif _deliver(client, state, update):
                pause, quiet_since = FIRST_RETRY, time.monotonic()
            else:
                time.sleep(pause)
                pause = min(pause * 2, LAST_RETRY)


def _deliver(client: httpx.Client, state: Bot, update: Update) -> bool:
    secret = {SECRET_HEADER: state.webhook_secret} if state.webhook_secret else {}
    body = update_queue.update_json(update)
    try:
        response = client.post(state.webhook_url, json=body, headers=secret)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return _failed(_reason(error))
    if not response.is_success:
        status = f"{response.status_code} {response.reason_phrase}"
        return _failed(f"Wrong response from the webhook: {status}")
    Update.objects.filter(pk=update.pk).delete()
    _run_reply(response)
    return True


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "Read timeout expired"
    return "Connection refused" if isinstance(error, httpx.ConnectError) else str(error)


def _failed(reason: str) -> bool:
    change_state(webhook_failed_at=timezone.now(), webhook_failure=reason[:500])
    return False


def _run_reply(response: httpx.Response) -> None:
    """A bot may call one method in its answer ("Making requests when getting updates")."""
    from sandbox.telegram.dispatch import call_from_webhook  # noqa: PLC0415 - it starts us

    call: Any = None
    if response.headers.get("content-type", "").startswith("application/json"):
        try:
            call = response.json()
        except ValueError:
            return
    if isinstance(call, dict) and isinstance(call.get("method"), str):
        call_from_webhook(call)
