"""Small real documents, made here so that file products have something to deliver."""

import csv
import io
from collections.abc import Sequence

_PAGE = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
    b" /Resources << /Font << /F1 4 0 R >> >> >>"
)
_FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"


def make_pdf(title: str, lines: Sequence[str]) -> bytes:
    """Return a PDF of one A4 page (the file structure of ISO 32000-1, 7.5)."""
    stream = _page_content(title, lines)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        _PAGE,
        _FONT,
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
    ]
    return _file(objects)


def _page_content(title: str, lines: Sequence[str]) -> bytes:
    shown = [b"BT /F1 20 Tf 56 780 Td 18 TL (%b) Tj T* /F1 11 Tf" % _text(title)]
    shown += [b"T* (%b) Tj" % _text(line) for line in lines]
    return b"\n".join([*shown, b"ET"])


def _text(line: str) -> bytes:
    encoded = line.encode("cp1252", errors="replace")
    for special in (b"\\", b"(", b")"):
        encoded = encoded.replace(special, b"\\" + special)
    return encoded


def _file(objects: Sequence[bytes]) -> bytes:
    data = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    entries = b"0000000000 65535 f \n"
    for number, body in enumerate(objects, start=1):
        entries += b"%010d 00000 n \n" % len(data)
        data += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    size = len(objects) + 1
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\n" % size
    table = b"xref\n0 %d\n%b" % (size, entries)
    return data + table + trailer + b"startxref\n%d\n%%%%EOF\n" % len(data)


def make_csv(rows: Sequence[Sequence[str | int]]) -> bytes:
    """Return a CSV that spreadsheet programs open as UTF-8."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8-sig")
