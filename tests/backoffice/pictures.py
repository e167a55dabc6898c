"""The first bytes of pictures: all that the shop reads of one."""

import struct


def png(width: int, height: int) -> bytes:
    header = struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + header + b"\0" * 40


def jpeg(width: int, height: int, *, frame: int = 0xC0) -> bytes:
    """With a comment that holds what looks like a frame header, and fill bytes before the real."""
    decoy = b"\xff\xc0" + struct.pack(">HBHH", 11, 8, 1, 1)
    comment = b"\xff\xfe" + struct.pack(">H", 2 + len(decoy)) + decoy
    tables = b"\xff\xc4" + struct.pack(">H", 4) + b"\0\0"
    header = struct.pack(">BBHBHH", 0xFF, frame, 11, 8, height, width)
    return b"\xff\xd8" + comment + tables + b"\xff\xff" + header + b"\0" * 40


def webp(width: int, height: int, *, chunk: bytes = b"VP8 ") -> bytes:
    if chunk == b"VP8X":
        sides = (side - 1 for side in (width, height))
        data = b"\0" * 4 + b"".join(side.to_bytes(3, "little") for side in sides)
    elif chunk == b"VP8L":
        data = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + b"\0" * 5
    else:
        data = b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height)
    return b"RIFF\x20\0\0\0WEBP" + chunk + struct.pack("<I", len(data)) + data + b"\0" * 8
