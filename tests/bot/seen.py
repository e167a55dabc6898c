"""What a person sees in a chat, read from the stand-in's driving API."""

import itertools
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SeenButton:
    text: str
    path: str
    url: str


@dataclass(frozen=True)
class SeenMessage:
    """A message as the person sees it now."""

    id: int
    text: str
    html: str
    photo: str
    document: str
    file_name: str
    sticker: str
    is_edited: bool
    markup: dict[str, Any]

    @property
    def buttons(self) -> list[SeenButton]:
        rows = self.markup.get("inline_keyboard", [])
        return [
            SeenButton(b["text"], b.get("callback_data", ""), b.get("url", ""))
            for b in itertools.chain.from_iterable(rows)
        ]

    @property
    def labels(self) -> list[str]:
        return [button.text for button in self.buttons]

    @property
    def keyboard(self) -> list[list[str]]:
        """The reply keyboard this message brought."""
        rows = self.markup.get("keyboard", [])
        return [[key if isinstance(key, str) else key["text"] for key in row] for row in rows]


def read_message(row: dict[str, Any]) -> SeenMessage:
    return SeenMessage(
        id=row["message_id"],
        text=row["text"] or row["caption"] or "",
        html=row["html"] or "",
        photo=row["photo"] or "",
        document=row["document"] or "",
        file_name=row.get("file_name") or "",
        sticker=row.get("sticker") or "",
        is_edited=row["edited"],
        markup=row["reply_markup"] or {},
    )
