"""Telling the shop. The body is the status shape, proved by nothing but a static secret."""

import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
from django.conf import settings


def _network() -> httpx.BaseTransport | None:
    return None


# Replaced by tests, which take the call in process instead of over a socket.
transport_factory: Callable[[], httpx.BaseTransport | None] = _network


def deliver(body: dict[str, Any], *, copies: int, delay_ms: int = 0) -> list[int]:
    """Send now and return the HTTP statuses (0: nobody answered); later, nothing is returned."""
    if not delay_ms:
        return [_send(body) for _ in range(copies)]
    threading.Thread(target=_send_later, args=(body, copies, delay_ms), daemon=True).start()
    return []


def _send_later(body: dict[str, Any], copies: int, delay_ms: int) -> None:
    time.sleep(delay_ms / 1000)
    deliver(body, copies=copies)


def _send(body: dict[str, Any]) -> int:
    headers = {"X-Secret": settings.SANDBOX_PAKASIR_WEBHOOK_SECRET}
    try:
        # The shop is this machine: a proxy of the environment would not find it.
        with httpx.Client(transport=transport_factory(), timeout=10, trust_env=False) as client:
            url = settings.SANDBOX_PAKASIR_WEBHOOK_URL
            return client.post(url, json=body, headers=headers).status_code
    except (httpx.HTTPError, httpx.InvalidURL):
        return 0
