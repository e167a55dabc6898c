"""Telegram counts UTF-16 code units, after it has parsed the HTML."""

import html
import re

MESSAGE_LIMIT = 4096
_TAG = re.compile(r"<[^>]*>")


def utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def plain_text(markup: str) -> str:
    """Return what a Telegram HTML text says once it is parsed."""
    return html.unescape(_TAG.sub("", markup))


def visible_length(markup: str) -> int:
    return utf16_length(plain_text(markup))


def shorten(text: str, units: int) -> str:
    """Cut a text to so many UTF-16 units; a cut one ends in an ellipsis."""
    if utf16_length(text) <= units:
        return text
    kept, room = [], units - 1
    for character in text:
        room -= 2 if ord(character) > 0xFFFF else 1
        if room < 0:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…"
