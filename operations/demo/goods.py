"""What the demo store delivers: plausible in form, obviously fake in content."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from core.ids import ALPHABET
from operations.demo.documents import make_csv, make_pdf


@dataclass(frozen=True)
class Document:
    file_name: str
    data: bytes


def _code(rng: Random, length: int) -> str:
    return "".join(rng.choices(ALPHABET, k=length))


def account(rng: Random, serial: str) -> str:
    return f"demo-{serial}@contoh.id:{_code(rng, 10)}"


def profile(rng: Random, serial: str) -> str:
    return (
        f"Email: demo-{serial}@contoh.id\n"
        f"Kata sandi: {_code(rng, 10)}\n"
        f"Profil: {rng.randint(1, 5)} | PIN: {rng.randint(0, 9999):04d}"
    )


def licence_key(rng: Random, serial: str) -> str:
    groups = "-".join(_code(rng, 5) for _ in range(3))
    return f"DEMO-{serial}-{groups}"


def code(rng: Random, serial: str) -> str:
    return f"DEMO-{serial}-{_code(rng, 4)}-{_code(rng, 4)}"


Make = Callable[[Random, str], str]


def make_items(make: Make, *, number: int, count: int, rng: Random) -> list[str]:
    """Return `count` contents, all different: the serial is a part of each."""
    return [make(rng, f"{number}{serial:05d}") for serial in range(1, count + 1)]


EBOOK = Document(
    "jualan-digital-dari-nol.pdf",
    make_pdf(
        "Jualan Digital dari Nol",
        [
            "Dokumen contoh dari toko demo.",
            "",
            "1. Pilih satu produk yang benar-benar Anda pahami.",
            "2. Tulis deskripsi yang jujur: apa isinya, untuk siapa, berapa lama berlaku.",
            "3. Hitung harga dari biaya, bukan dari harga tetangga.",
            "4. Kirim barang secepat mungkin; pembeli digital tidak suka menunggu.",
            "5. Jawab keluhan dengan sopan dan ganti barang yang rusak.",
            "6. Catat semua penjualan, sekecil apa pun.",
        ],
    ),
)
BUDGET = Document(
    "anggaran-rumah-tangga.csv",
    make_csv(
        [
            ("Pos", "Anggaran", "Realisasi", "Selisih"),
            ("Belanja dapur", 2_000_000, "", ""),
            ("Listrik dan air", 650_000, "", ""),
            ("Internet dan pulsa", 450_000, "", ""),
            ("Transportasi", 800_000, "", ""),
            ("Sekolah anak", 1_200_000, "", ""),
            ("Tabungan", 1_500_000, "", ""),
        ]
    ),
)
GUIDE = Document(
    "panduan-belanja.txt",
    (
        b"PANDUAN BELANJA\r\n\r\n"
        b"1. Ketik nomor produk atau pilih dari daftar.\r\n"
        b"2. Atur jumlah, lalu lanjut ke pembayaran.\r\n"
        b"3. Bayar dengan QRIS atau saldo.\r\n"
        b"4. Barang dikirim ke obrolan ini begitu pembayaran masuk.\r\n"
        b"5. Barang lama selalu ada di Riwayat Transaksi.\r\n"
    ),
)
