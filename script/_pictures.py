"""Draw the cover pictures of the demo store's products.

usage: _pictures.py [NUMBER …]   (without numbers: all of them)
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from importlib import import_module
from pathlib import Path
from string import Template

import django
from django.conf import settings
from playwright.sync_api import Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "operations" / "demo" / "pictures"
SOURCE = PICTURES / "source"
LOGO = ROOT / "sandbox" / "static" / "sandbox" / "brand" / "logo.svg"

SIZE = ViewportSize(width=800, height=450)
MOST_BYTES = 35 * 1024
QUALITIES = range(92, 60, -2)
FONT = "Manrope"
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-lcd-text",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
]

# The part of the shop whose models the demo store's definitions mention.
APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "core",
    "audit",
    "accounts",
    "catalog",
]

PALETTES = {
    "Streaming": "streaming",
    "Musik": "musik",
    "Lisensi Software": "lisensi",
    "VPN & Keamanan": "vpn",
    "Kursus & E-book": "kursus",
    "Game": "game",
    "": "loose",
}
# A chip that ends the product's name is not said again in the title.
CHIPS_AND_LINES = {
    101: ("1 Bulan", "Garansi 30 hari"),
    102: ("1 Bulan", "Untuk ponsel dan TV"),
    103: ("1 Bulan", "Bola langsung & serial"),
    104: ("6 Bulan", "Akun pribadi"),
    105: ("1 Bulan", "Tanpa iklan"),
    106: ("1 Bulan", "Putar di latar belakang"),
    107: ("3 Bulan", "Kirim instan"),
    108: ("1 PC", "Lisensi seumur hidup"),
    109: ("1 PC", "Sekali bayar"),
    110: ("1 Tahun", "Pakai e-mail sendiri"),
    111: ("3 Tahun", "5 komputer + pelatihan"),
    112: ("1 Tahun", "Untuk 6 perangkat"),
    113: ("1 Bulan", "Server di 90 negara"),
    114: ("5 Perangkat", "Aktif 1 tahun"),
    115: ("24 sesi", "Dari nol sampai bisa"),
    116: ("8 video", "Angkatan terbatas"),
    117: ("PDF", "Sampai laku pertama"),
    118: ("CSV", "Siap pakai di Excel"),
    119: ("Gratis", "Mulai belanja di sini"),
    120: ("86 Diamond", "Kirim instan"),
    121: ("Rp60.000", "Wilayah Indonesia"),
    122: ("Akun penuh", "E-mail bisa diganti"),
    123: ("Kode stiker", "Murah meriah"),
    124: ("Kirim instan", "Coba alur belanja"),
}


@dataclass(frozen=True)
class Cover:
    number: int
    category: str
    name: str

    def page(self, template: Template, icons: str, mark: str) -> str:
        chip, line = CHIPS_AND_LINES[self.number]
        return template.substitute(
            number=self.number,
            palette=PALETTES[self.category],
            category=escape(self.category or "QuickCart"),
            title=escape(self.name.removesuffix(chip).strip()),
            chip=escape(chip),
            line=escape(line),
            icons=icons,
            mark=mark,
        )


def main() -> None:
    covers = {str(cover.number): cover for cover in _covers()}
    wanted = sys.argv[1:] or list(covers)
    if unknown := [number for number in wanted if number not in covers]:
        sys.exit(f"The demo store has no product {', '.join(unknown)}.")
    browser_path = _chromium()
    _require_font()
    template = Template((SOURCE / "cover.html").read_text(encoding="utf-8"))
    icons = (SOURCE / "icons.svg").read_text(encoding="utf-8")
    mark = LOGO.read_text(encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=CHROMIUM_OPTIONS)
        page = browser.new_page(viewport=SIZE)
        for number in wanted:
            page.set_content(covers[number].page(template, icons, mark))
            _save(page, covers[number])
        browser.close()


def _covers() -> Iterator[Cover]:
    settings.configure(INSTALLED_APPS=APPS)
    django.setup()
    # Not before: its definitions import models.
    demo = import_module("operations.demo.products")
    for category in demo.CATEGORIES:
        for product in category.products:
            yield Cover(product.number, category.name, product.name)
    for product in demo.LOOSE:
        yield Cover(product.number, "", product.name)


def _save(page: Page, cover: Cover) -> None:
    """As good as it fits into the size."""
    for quality in QUALITIES:
        content = page.screenshot(type="jpeg", quality=quality)
        if len(content) <= MOST_BYTES:
            (PICTURES / f"{cover.number}.jpg").write_bytes(content)
            sys.stdout.write(f"{cover.number}.jpg {len(content)} bytes, quality {quality}\n")
            return
    sys.exit(f"The picture of product {cover.number} does not fit into {MOST_BYTES} bytes.")


def _chromium() -> str:
    path = shutil.which("chromium")
    return path or sys.exit("Drawing needs Chromium: apt-get install chromium")


def _require_font() -> None:
    lister = shutil.which("fc-list")
    found = (
        lister
        and subprocess.run(  # noqa: S603
            [lister, FONT], check=True, capture_output=True
        ).stdout
    )
    if not found:
        sys.exit(f"Drawing needs the font {FONT}: apt-get install fontconfig fonts-manrope")


if __name__ == "__main__":
    main()
