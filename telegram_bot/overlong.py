"""What is longer than Telegram allows goes another way: as a file, or below its photo."""

import re
from dataclasses import replace
from html import escape, unescape

from telegram_bot.lengths import MESSAGE_LIMIT, shorten, visible_length
from telegram_bot.screens import Document, Screen

CAPTION_LIMIT = 1024
NOTE_UNITS = 300
_TAG = re.compile(r"<[^>]*>")


def fits_caption(markup: str) -> bool:
    return visible_length(markup) <= CAPTION_LIMIT


def with_long_text_as_file(screen: Screen) -> Screen:
    """Move a text that is longer than a message into a .txt; its beginning stays as the note."""
    if visible_length(screen.text) <= MESSAGE_LIMIT:
        return screen
    text = unescape(_TAG.sub("", screen.text))
    note = f"{escape(shorten(text, NOTE_UNITS), quote=False)}\n\n📄 ⬇️"
    file = Document("message.txt", text.encode())
    return replace(screen, text=note, documents=(file, *screen.documents))
