"""HTTP replaced by calls into the stand-ins, on the test's thread and in its transaction."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from telegram.error import TelegramError
from telegram.request import BaseRequest, RequestData


class InProcessRequest(BaseRequest):
    """What python-telegram-bot sends with: Django's test client instead of a socket.

    `calls` lists the methods that were called; `break_next` makes the transport itself fail.
    """

    def __init__(self) -> None:
        self.client = Client()
        self.calls: list[str] = []
        self._faults: list[tuple[str, TelegramError, bool]] = []

    @property
    def read_timeout(self) -> float | None:
        return 5.0

    async def initialize(self) -> None:
        pass

    async def shutdown(self) -> None:
        pass

    def break_next(
        self, method: str, error: TelegramError, *, after_effect: bool = False, times: int = 1
    ) -> None:
        """Raise `error` on the next calls of `method`, before or after Telegram acted on it."""
        self._faults += [(method, error, after_effect)] * times

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *args: Any, **kw: Any
    ) -> tuple[int, bytes]:
        name = urlsplit(url).path.rpartition("/")[2]
        self.calls.append(name)
        fault = self._take_fault(name)
        if fault is not None and not fault[2]:
            raise fault[1]
        answer = await sync_to_async(self._call)(urlsplit(url).path, request_data)
        if fault is not None:
            raise fault[1]
        return answer

    def _take_fault(self, name: str) -> tuple[str, TelegramError, bool] | None:
        for fault in self._faults:
            if fault[0] == name:
                self._faults.remove(fault)
                return fault
        return None

    def _call(self, path: str, data: RequestData | None) -> tuple[int, bytes]:
        fields: dict[str, Any] = dict(data.json_parameters) if data else {}
        for name, (file_name, content, mime) in (data.multipart_data if data else {}).items():
            body = content if isinstance(content, bytes) else content.read()
            fields[name] = SimpleUploadedFile(file_name, body, mime)
        response = self.client.post(path, fields)
        return response.status_code, response.content


def gateway_transport() -> httpx.BaseTransport:
    """Answers the shop's gateway adapter from the gateway stand-in, in process."""
    client = Client()

    def handle(request: httpx.Request) -> httpx.Response:
        headers = {f"HTTP_{k.upper().replace('-', '_')}": v for k, v in request.headers.items()}
        headers.pop("HTTP_HOST", None)
        response = client.generic(
            request.method,
            request.url.raw_path.decode(),
            request.content,
            request.headers.get("content-type", ""),
            **headers,
        )
        return httpx.Response(response.status_code, content=response.content)

    return httpx.MockTransport(handle)


class Driver:
    """JSON over the test client, for the driving APIs of both stand-ins."""

    def __init__(self) -> None:
        self.client = Client()

    def get(self, path: str, **query: Any) -> Any:
        return self._read(self.client.get(path, query))

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._read(
            self.client.post(path, json.dumps(body or {}), content_type="application/json")
        )

    def upload(self, path: str, fields: dict[str, Any]) -> Any:
        return self._read(self.client.post(path, fields))

    def delete(self, path: str) -> Any:
        return self._read(self.client.delete(path))

    @staticmethod
    def _read(response: Any) -> Any:
        assert response.status_code < 400, (response.status_code, response.content[:500])
        return json.loads(response.content)


Function = Callable[[], Any]


async def on_test_thread(function: Function) -> Any:
    """Run a view where the test's transaction is: the runner of the application under test."""
    return await sync_to_async(function)()
