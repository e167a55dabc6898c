"""What a view returns: a screen as plain data, that knows nothing of Telegram's libraries."""

from dataclasses import dataclass

PATH_BYTES = 64


@dataclass(frozen=True)
class Button:
    """An inline button: it presses a path, opens a link or copies a text (exactly one of them)."""

    text: str
    path: str = ""
    url: str = ""
    copy: str = ""

    def __post_init__(self) -> None:
        if sum(map(bool, (self.path, self.url, self.copy))) != 1:
            raise ValueError(f"a button does exactly one thing: {self!r}")
        if len(self.path.encode()) > PATH_BYTES:
            raise ValueError(f"Telegram takes button data of 1 to {PATH_BYTES} bytes: {self.path}")


Buttons = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True)
class Photo:
    """A picture: bytes, or a Telegram file id, or both (then the bytes are the fallback).

    `key` names the picture for remembering the file id Telegram gave it, e.g. `product:7:2`; a
    picture whose content changes needs another key. Empty: not remembered.
    """

    data: bytes | None = None
    file_id: str = ""
    key: str = ""


@dataclass(frozen=True)
class Document:
    name: str
    data: bytes
    caption: str = ""


@dataclass(frozen=True)
class Screen:
    """What a person sees next. `text` is Telegram HTML.

    The sticker goes first, then the screens of `before` (messages of their own), then text or
    photo with its buttons, then the documents. With `replaces` the answer to a pressed button
    takes the place of that message. `notice` is the toast of the button, or its alert.
    A reply keyboard of `()` takes the keyboard away, `None` leaves it as it is; inline buttons and
    a reply keyboard cannot be on one message: put the keyboard on a screen in `before`.
    """

    text: str
    buttons: Buttons = ()
    photo: Photo | None = None
    documents: tuple[Document, ...] = ()
    reply_keyboard: tuple[tuple[str, ...], ...] | None = None
    sticker: str = ""
    before: tuple["Screen", ...] = ()
    replaces: bool = True
    notice: str = ""
    is_alert: bool = False

    def __post_init__(self) -> None:
        if self.buttons and self.reply_keyboard is not None:
            raise ValueError("one message carries one keyboard")


NOTICE_ONLY = Screen("")
