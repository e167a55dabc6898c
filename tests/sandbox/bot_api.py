"""The stand-in as a test uses it: methods of the bot, and what people do over the driving API."""

import json
import struct
import zlib
from typing import Any

from django.conf import settings
from django.test import Client

PREFIX = f"/sandbox/telegram/bot{settings.SANDBOX_BOT_TOKEN}/"
FILE_PREFIX = f"/sandbox/telegram/file/bot{settings.SANDBOX_BOT_TOKEN}/"


class BotApi:
    def __init__(self) -> None:
        self.client = Client()

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The whole answer."""
        response = self.client.post(
            PREFIX + method, json.dumps(params), content_type="application/json"
        )
        return self._checked(response)

    def upload(self, method: str, **fields: Any) -> dict[str, Any]:
        return self._checked(self.client.post(PREFIX + method, fields))

    def _checked(self, response: Any) -> dict[str, Any]:
        answer: dict[str, Any] = response.json()
        assert response.status_code == (200 if answer["ok"] else answer["error_code"])
        return answer

    def ok(self, method: str, **params: Any) -> Any:
        answer = self.ask(method, **params)
        assert answer["ok"], answer
        return answer["result"]

    def refused(self, method: str, **params: Any) -> str:
        """`400 Bad Request: …`"""
        answer = self.ask(method, **params)
        assert not answer["ok"], answer
        return f"{answer['error_code']} {answer['description']}"

    def drive(self, path: str, **body: Any) -> Any:
        response = self._drive(path, body)
        assert response.status_code == 200, response.content
        return response.json()

    def drive_refused(self, path: str, **body: Any) -> tuple[int, str]:
        response = self._drive(path, body)
        return response.status_code, response.json()["error"]

    def _drive(self, path: str, body: dict[str, Any]) -> Any:
        url = f"/sandbox/api/{path}"
        return self.client.post(url, json.dumps(body), content_type="application/json")

    def see(self, path: str) -> Any:
        response = self.client.get(f"/sandbox/api/{path}")
        assert response.status_code == 200, response.content
        return response.json()

    def person(self, first_name: str = "Sari", **details: Any) -> int:
        user_id: int = self.drive("users/", first_name=first_name, **details)["id"]
        return user_id

    def group(self, *member_ids: int) -> int:
        chat_id: int = self.drive("chats/", title="Staff", member_ids=list(member_ids))["id"]
        return chat_id

    def say(self, chat_id: int, text: str, **extra: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.drive(f"chats/{chat_id}/messages/", text=text, **extra)
        return answer

    def press(self, chat_id: int, message_id: int, data: str, **extra: Any) -> dict[str, Any]:
        path = f"chats/{chat_id}/messages/{message_id}/press/"
        answer: dict[str, Any] = self.drive(path, data=data, **extra)
        return answer

    def messages(self, chat_id: int, after: int = 0) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.see(f"chats/{chat_id}/messages/?after={after}")[
            "messages"
        ]
        return rows

    def updates(self, **params: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ok("getUpdates", **params)
        return found


def png(width: int = 4, height: int = 4) -> bytes:
    """A black picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = (b"\0" + b"\0" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
