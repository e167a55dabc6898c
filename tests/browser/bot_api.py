"""A bot program of our own beside the shop's: it may send what the shop never would."""

import json
from typing import Any

import httpx

from tests.e2e.shop import Shop

TOKEN = "900000000:SANDBOX-demo-token-not-a-secret"


class Bot:
    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def call(self, method: str, files: Any = None, **fields: Any) -> Any:
        answer = self.try_(method, files, **fields)
        assert answer.is_success, answer.text
        return answer.json()["result"]

    def try_(self, method: str, files: Any = None, **fields: Any) -> httpx.Response:
        data = {
            name: json.dumps(value) if isinstance(value, dict | list) else str(value)
            for name, value in fields.items()
        }
        path = f"/sandbox/telegram/bot{TOKEN}/{method}"
        return self._shop.http.post(path, data=data, files=files)
