"""The picture of a QR code, as a phone's camera likes it: black on white with a quiet zone."""

import functools
import io
import struct
import zlib

import segno

SCALE = 10
QUIET_ZONE = 4
"""Modules of white on each side: the least that ISO/IEC 18004 asks for."""


def qr_png(content: str) -> bytes:
    """Return a PNG of the code with error correction M, as printed QRIS codes have it."""
    picture = io.BytesIO()
    code = segno.make_qr(content, error="m", boost_error=False)
    code.save(picture, kind="png", scale=SCALE, border=QUIET_ZONE)
    return picture.getvalue()


@functools.cache
def crossed_out_png(size: int = 240) -> bytes:
    """Return a PNG of a cross: what takes the place of a code that must not be paid any more."""
    rows = (
        b"\0" + bytes(80 if _is_on_cross(x, y, size) else 240 for x in range(size))
        for y in range(size)
    )
    header = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)  # 8 bits of grey
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _is_on_cross(x: int, y: int, size: int) -> bool:
    edge, stroke = size // 6, size // 20
    is_inside = edge <= x < size - edge and edge <= y < size - edge
    return is_inside and min(abs(x - y), abs(x + y - size)) < stroke
