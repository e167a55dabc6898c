"""Turns pasted text and text files into goods: one per line, or one per block of lines."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

MOST_TEXT = 20 * 1024 * 1024
"""Largest text file, in bytes."""
MOST_ITEMS = 50_000
"""Most items in one upload: more would keep everybody else waiting."""
ZIP = b"PK\x03\x04"
BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class Unreadable(Exception):
    """The upload is no text; the message says what to do."""


class Split(StrEnum):
    LINES = "lines"
    BLOCKS = "blocks"


@dataclass(frozen=True, repr=False)
class Contents:
    """The goods and where each one stands in the upload: the number of its line or block."""

    texts: list[str]
    positions: list[int]
    unit: str


def decode(data: bytes) -> str:
    """Return the text of a file in UTF-8 or UTF-16, with or without BOM; raise Unreadable."""
    if data.startswith(ZIP):
        raise Unreadable(
            "This is an Excel, Word or zip file. Save it as plain text (.txt) and try again."
        )
    try:
        text = data.decode(_encoding(data))
    except UnicodeDecodeError:
        text = "\x00"
    if "\x00" in text:
        raise Unreadable(
            "This file is not plain text. Save it as a .txt file in UTF-8 and try again."
        )
    return text


def _encoding(data: bytes) -> str:
    for bom, encoding in BOMS:
        if data.startswith(bom):
            return encoding
    # Windows' "Unicode" without its mark: every second byte of plain text is zero.
    head = data[:200]
    if len(head) >= 4 and head[1::2].count(0) > len(head) // 4:
        return "utf-16-le"
    if len(head) >= 4 and head[::2].count(0) > len(head) // 4:
        return "utf-16-be"
    return "utf-8"


def split(text: str, how: Split) -> Contents:
    """Split a text into goods; empty lines never are goods."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    if how == Split.LINES:
        found = [(number, line.strip()) for number, line in enumerate(lines, start=1) if line]
    else:
        found = list(enumerate(_blocks(lines), start=1))
    return Contents(
        texts=[content for _number, content in found],
        positions=[number for number, _content in found],
        unit="line" if how == Split.LINES else "block",
    )


def _blocks(lines: Iterable[str]) -> Iterator[str]:
    block: list[str] = []
    for line in [*lines, ""]:
        if line:
            block.append(line)
        elif block:
            yield "\n".join(block)
            block = []
