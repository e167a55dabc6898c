"""The texts: complete, whole, and within what Telegram takes."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import segno
from django.conf import settings as django_settings
from django.template.loader import get_template
from django.utils import translation
from django.utils.translation import gettext

from quickcart.translations import problems
from telegram_bot import commands, lengths, qr
from telegram_bot.messages import MESSAGES
from telegram_bot.paths import MOST_ID, Terms, TermsConverter, base36, find_number
from telegram_bot.shortcuts import render_text, tidy
from telegram_bot.templatetags.telegram import clock_time, store_time

TEMPLATES = Path(django_settings.BASE_DIR) / "templates" / "telegram"


def test_no_translation_is_missing() -> None:
    assert problems("id") == []


@pytest.mark.parametrize(
    ("message", "label"),
    [
        ("Categories", "Kategori"),
        ("Best sellers", "Terlaris"),
        ("All products", "Semua Produk"),
        ("Top Buyers", "Top Buyers"),
        ("BACK", "KEMBALI"),
        ("Continue to payment", "Lanjut ke pembayaran"),
        ("Cancel", "Batalkan"),
        ("CANCEL", "BATALKAN"),
        ("Use voucher", "Gunakan Voucher"),
        ("QRIS", "QRIS"),
        ("BALANCE", "SALDO"),
        ("Take it", "Ambil"),
        ("Yes", "Ya"),
        ("Checkout Page", "Checkout Page"),
        ("Payment status", "Status Pembayaran"),
        ("Back", "Kembali"),
        ("Order history", "Riwayat Transaksi"),
        ("Without category", "Tanpa Kategori"),
        ("PRODUCT LIST", "LIST PRODUK"),
        ("STOCK", "STOK"),
    ],
)
def test_labels_are_those_of_the_product_page(message: str, label: str) -> None:
    with translation.override("id"):
        assert gettext(message) == label


def test_every_command_has_a_description() -> None:
    assert set(commands.DESCRIPTIONS) == set(commands.COMMANDS)


def test_labels_of_the_reply_keyboard_differ_in_and_between_languages() -> None:
    for language in ("id", "en"):
        with translation.override(language):
            assert len({gettext(label) for label in commands.LABELS}) == len(commands.LABELS)


def test_tidy_drops_indentation_but_not_what_is_sold() -> None:
    markup = "  <b>A</b>  \n\n\n\n   b\n<code>  x\n\n\n\n  y </code>\n\n"
    assert tidy(markup) == "<b>A</b>\n\nb\n<code>  x\n\n\n\n  y </code>"


def test_an_owner_may_override_a_text(tmp_path: Path, settings: Any) -> None:
    folder = tmp_path / "telegram"
    folder.mkdir()
    (folder / "language.html").write_text("Our own {{ store_name }}")
    options = settings.TEMPLATES[0]
    settings.TEMPLATES = [{**options, "DIRS": [tmp_path, *options["DIRS"]]}]
    settings.STORE_NAME = "Toko <Sari>"
    assert render_text("telegram/language.html") == "Our own Toko &lt;Sari&gt;"


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_every_template_compiles(path: Path) -> None:
    source = path.read_text()
    assert "safe" not in source, "goods and names are escaped everywhere"
    assert get_template(f"telegram/{path.name}")


@pytest.mark.parametrize(
    ("text", "units", "expected"),
    [
        ("Netflix", 7, "Netflix"),
        ("Netflix", 6, "Netfl…"),
        ("🎬🎬🎬", 6, "🎬🎬🎬"),
        ("🎬🎬🎬", 5, "🎬🎬…"),
        ("🎬🎬🎬", 4, "🎬…"),
        ("ab cd", 4, "ab…"),
        ("", 1, ""),
    ],
)
def test_shorten_counts_utf16_units(text: str, units: int, expected: str) -> None:
    assert lengths.shorten(text, units) == expected
    assert lengths.utf16_length(expected) <= units or not expected


def test_the_visible_length_is_that_of_the_parsed_text() -> None:
    assert lengths.visible_length("<b>a&lt;&amp;</b>🎬<code>&#x27;</code>") == 6


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Asia/Jakarta", "22 Nov 2026, 14:05 WIB"),
        ("Asia/Makassar", "22 Nov 2026, 15:05 WITA"),
        ("Asia/Jayapura", "22 Nov 2026, 16:05 WIT"),
        ("Asia/Singapore", "22 Nov 2026, 15:05 UTC+08"),
    ],
)
def test_times_are_those_of_the_store(zone: str, expected: str, settings: Any) -> None:
    settings.STORE_TIMEZONE = zone
    moment = datetime(2026, 11, 22, 7, 5, tzinfo=UTC)
    assert store_time(moment) == expected
    assert clock_time(moment) == expected.partition(", ")[2]


def test_months_are_in_the_language_of_the_reader(settings: Any) -> None:
    settings.STORE_TIMEZONE = "Asia/Jakarta"
    moment = datetime(2026, 8, 17, 3, 0, tzinfo=UTC)
    with translation.override("id"):
        assert store_time(moment) == "17 Agu 2026, 10:00 WIB"
    with translation.override("en"):
        assert store_time(moment) == "17 Aug 2026, 10:00 WIB"


@pytest.mark.parametrize("number", [0, 1, 35, 36, 50_000, MOST_ID])
def test_base36_is_read_back(number: int) -> None:
    assert int(base36(number), 36) == number


def test_terms_are_read_back() -> None:
    terms = Terms(MOST_ID, 9_999, 9_999_999_999_999, MOST_ID, "0123456789")
    converter = TermsConverter()
    assert converter.to_python(converter.to_url(terms)) == terms


@pytest.mark.parametrize("text", ["", "1 1", "٣", "１", "1" * 10, "-1", "1.0", "0x1"])
def test_only_plain_short_digits_are_a_number(text: str) -> None:
    assert find_number(text) is None


def test_the_qr_picture_has_a_quiet_zone_and_level_m() -> None:
    content = "00020101021226" + "A" * 180
    picture = qr.qr_png(content)
    code = segno.make_qr(content, error="m", boost_error=False)
    width = int.from_bytes(picture[16:20], "big")
    assert picture.startswith(b"\x89PNG")
    assert code.error == "M"
    assert width == (code.symbol_size()[0] - 8 + 2 * qr.QUIET_ZONE) * qr.SCALE


def test_every_kind_the_shop_writes_can_be_rendered() -> None:
    written = {
        "payment_qr",
        "payment_unavailable",
        "order_delivered",
        "order_expired",
        "payment_credited",
        "payment_in_review",
        "deposit_credited",
        "deposit_expired",
        "deposit_cancelled",
        "balance_changed",
        "staff_deposit",
        "staff_order_paid",
        "staff_order_expired",
        "staff_payment_credited",
        "staff_case",
        "staff_gateway_down",
        "staff_gateway_up",
        "staff_gateway_refuses",
        "staff_report",
    }
    assert written <= set(MESSAGES)
