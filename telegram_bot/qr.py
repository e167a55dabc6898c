"""The picture of a QR code, as a phone's camera likes it: black on white with a quiet zone."""

import io

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
