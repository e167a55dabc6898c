"""Sees whatever goes wrong in a browser context, and anything that comes from elsewhere."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Request, Response, WebError

# How Chromium says that the page itself, or leaving it, ended a request; also a download.
GIVEN_UP = "net::ERR_ABORTED"
LOCAL_SCHEMES = {"blob", "data"}


class Watch:
    """Collects faults; a test names beforehand, as patterns, those it causes itself."""

    def __init__(self, context: BrowserContext, shop_url: str) -> None:
        self._shop = urlsplit(shop_url).netloc
        self._expected: list[re.Pattern[str]] = []
        self._seen: list[str] = []
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("dialog", self._dialog)
        context.on("request", self._request)
        context.on("requestfailed", self._failed)
        context.on("response", self._response)

    def expect(self, pattern: str) -> None:
        self._expected.append(re.compile(pattern))

    def faults(self) -> list[str]:
        return [
            fault for fault in self._seen if not any(each.search(fault) for each in self._expected)
        ]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning", "assert"}:
            url = message.location.get("url", "")
            self._seen.append(f"console {message.type}: {message.text} ({url})")

    def _error(self, error: WebError) -> None:
        self._seen.append(f"uncaught: {error.error}")

    def _dialog(self, dialog: Dialog) -> None:
        self._seen.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in LOCAL_SCHEMES and parts.netloc != self._shop:
            self._seen.append(f"elsewhere: {request.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != GIVEN_UP:
            self._seen.append(f"failed: {request.method} {request.url} {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            request = response.request
            self._seen.append(f"{response.status}: {request.method} {response.url}")
