"""How large a picture is, read from its first bytes: nothing is decoded, nothing can explode."""

Size = tuple[int, int]
"""Width and height in pixels."""

# Every SOF marker but DHT (C4), JPG (C8) and DAC (CC), which share their range (ITU T.81, B.1).
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length: TEM and RST0 to RST7."""


def png_size(image: bytes) -> Size | None:
    """Read IHDR, always the first chunk; None where it is cut off."""
    return _big(image[16:20], image[20:24]) if image[12:16] == b"IHDR" else None


def jpeg_size(image: bytes) -> Size | None:
    """Walk over the segments to the frame header; None where there is none."""
    at = 2
    while at + 9 <= len(image) and image[at] == 0xFF:
        marker = image[at + 1]
        if marker in _JPEG_FRAMES:
            return _big(image[at + 7 : at + 9], image[at + 5 : at + 7])
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _JPEG_ALONE:
            at += 2
        else:
            at += 2 + int.from_bytes(image[at + 2 : at + 4], "big")
    return None


def webp_size(image: bytes) -> Size | None:
    """Read the first chunk: lossy, lossless or extended (RFC 9649)."""
    chunk, data = image[12:16], image[20:30]
    if len(data) < 10:
        return None
    if chunk == b"VP8X":
        return 1 + _little(data[4:7]), 1 + _little(data[7:10])
    if chunk == b"VP8L":
        bits = _little(data[1:5])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        return _little(data[6:8]) & 0x3FFF, _little(data[8:10]) & 0x3FFF
    return None


def _big(width: bytes, height: bytes) -> Size | None:
    if len(width) != len(height) or not width:
        return None
    return int.from_bytes(width, "big"), int.from_bytes(height, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
