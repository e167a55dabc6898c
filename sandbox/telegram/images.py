"""Kind and size of a picture from its first bytes: enough to tell a photo from something else."""

import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    extension: str
    mime_type: str
    width: int
    height: int


def read_picture(content: bytes) -> Picture | None:
    """None when it is no PNG, JPEG, GIF or WebP."""
    readers = {b"\x89PNG": _png, b"\xff\xd8\xff": _jpeg, b"GIF8": _gif, b"RIFF": _webp}
    reader = next((r for start, r in readers.items() if content.startswith(start)), None)
    try:
        return reader(content) if reader else None
    except (struct.error, IndexError):
        return None


def _png(content: bytes) -> Picture | None:
    if content[12:16] != b"IHDR":
        return None
    return Picture("png", "image/png", *struct.unpack(">II", content[16:24]))


def _gif(content: bytes) -> Picture | None:
    return Picture("gif", "image/gif", *struct.unpack("<HH", content[6:10]))


def _jpeg(content: bytes) -> Picture | None:
    position = 2
    while content[position] == 0xFF:
        marker = content[position + 1]
        (length,) = struct.unpack(">H", content[position + 2 : position + 4])
        # The frame headers SOF0 to SOF15, without the tables DHT, JPG and DAC among them.
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack(">HH", content[position + 5 : position + 9])
            return Picture("jpg", "image/jpeg", width, height)
        position += 2 + length
    return None


def _webp(content: bytes) -> Picture | None:
    kind = content[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(content[24:27], "little") + 1
        height = int.from_bytes(content[27:30], "little") + 1
    elif kind == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width, height = (size & 0x3FFF for size in struct.unpack("<HH", content[26:30]))
    else:
        return None
    return Picture("webp", "image/webp", width, height)
