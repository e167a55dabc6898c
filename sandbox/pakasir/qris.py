"""QRIS: Indonesia's profile of the EMVCo merchant-presented QR code (tag, length, value)."""

MERCHANT = "QUICKCART SANDBOX"


def _field(tag: str, value: str) -> str:
    return f"{tag}{len(value):02}{value}"


def crc16(text: str) -> str:
    """CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF) as EMVCo asks, four hex digits."""
    crc = 0xFFFF
    for byte in text.encode("ascii"):
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return f"{crc:04X}"


def qris_string(*, amount: int, reference: str) -> str:
    """Build a dynamic code for one payment. The merchant number is invented: no bank knows it."""
    acquirer = _field("00", "COM.PAKASIR.SANDBOX") + _field("01", "936009140000000017")
    national = _field("00", "ID.CO.QRIS.WWW") + _field("02", "ID1020000000017")
    criteria = _field("03", "UMI")
    fields = {
        "00": "01",
        "01": "12",
        "26": acquirer + criteria,
        "51": national + criteria,
        "52": "5734",
        "53": "360",
        "54": str(amount),
        "58": "ID",
        "59": MERCHANT,
        "60": "JAKARTA",
        "61": "10110",
        "62": _field("05", reference[:25]),
    }
    text = "".join(_field(tag, value) for tag, value in fields.items()) + "6304"
    return text + crc16(text)
