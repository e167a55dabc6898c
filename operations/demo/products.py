"""What the demo store sells."""

from operations.demo.definitions import DemoCategory, DemoProduct
from operations.demo.goods import BUDGET, EBOOK, GUIDE, account, code, licence_key, profile

SOLD_OUT = 104
LOW = (107, 114)
"""Products of which less is left than their low-stock threshold."""


PYTHON_COURSE = """\
Kelas daring 24 sesi untuk yang benar-benar mulai dari nol. Tidak perlu latar belakang IT; cukup \
laptop sederhana dan koneksi internet.

Yang dipelajari:
• Minggu 1: memasang Python, variabel, angka, dan teks
• Minggu 2: percabangan, perulangan, dan fungsi
• Minggu 3: daftar, kamus, dan membaca berkas CSV
• Minggu 4: mengambil data dari web dan mengolahnya menjadi laporan
• Minggu 5: membuat bot sederhana untuk mencatat pengeluaran
• Minggu 6: proyek akhir yang dibahas satu per satu

Yang Anda dapatkan:
• Rekaman semua sesi, bisa ditonton ulang selamanya
• 60 latihan dengan pembahasan
• Grup tanya jawab bersama pengajar, dijawab paling lambat 1 × 24 jam
• Sertifikat digital setelah proyek akhir selesai
• Kumpulan contoh kode yang boleh dipakai untuk pekerjaan sendiri

Cocok untuk pelajar, pemilik toko, dan pegawai kantor yang bosan menyalin data dengan tangan. \
Pengajar kami bekerja sehari-hari dengan Python dan menjawab pertanyaan dalam bahasa Indonesia.

Setelah pembayaran, Anda langsung menerima tautan kelas. Tautan berlaku untuk satu akun belajar \
dan tidak boleh dibagikan. Jika ada kendala, hubungi kami lewat menu bantuan; kami bantu sampai \
bisa masuk kelas."""

CATEGORIES = (
    DemoCategory(
        "Streaming",
        (
            DemoProduct(
                101,
                "Netflix Premium 1 Bulan",
                45_000,
                "Satu profil pribadi dengan PIN, kualitas 4K, garansi 30 hari.",
                profile,
                120,
                popularity=20,
                fields={"reseller_price": 40_000},
            ),
            DemoProduct(
                102,
                "Disney+ Hotstar 1 Bulan",
                30_000,
                "Akun siap pakai untuk ponsel dan TV. Film, serial, dan liga favorit.",
                account,
                80,
                popularity=6,
                fields={"discount_percent": 10},
            ),
            DemoProduct(
                103,
                "Vidio Platinum 1 Bulan",
                25_000,
                "Semua serial orisinal dan siaran langsung sepak bola.",
                account,
                60,
                fields={"reseller_price": 22_000},
            ),
            DemoProduct(
                SOLD_OUT,
                "Prime Video 6 Bulan",
                55_000,
                "Akun pribadi 6 bulan, bisa diganti kata sandinya.",
                account,
                0,
            ),
        ),
    ),
    DemoCategory(
        "Musik",
        (
            DemoProduct(
                105,
                "Spotify Premium 1 Bulan",
                20_000,
                "Tanpa iklan, bisa diunduh, akun sendiri.",
                account,
                120,
                popularity=15,
                fields={"reseller_price": 17_000},
            ),
            DemoProduct(
                106,
                "YouTube Premium 1 Bulan",
                15_000,
                "Tanpa iklan, putar di latar belakang, sudah termasuk YouTube Music.",
                account,
                90,
                popularity=9,
                fields={"discount_amount": 2_500},
            ),
            DemoProduct(
                107,
                "Apple Music 3 Bulan",
                28_000,
                "Kode penukaran untuk pelanggan baru.",
                code,
                2,
                popularity=3,
            ),
        ),
    ),
    DemoCategory(
        "Lisensi Software",
        (
            DemoProduct(
                108,
                "Windows 11 Pro",
                150_000,
                "Kunci lisensi seumur hidup untuk 1 PC. Aktivasi daring.",
                licence_key,
                50,
                fields={"reseller_price": 125_000},
            ),
            DemoProduct(
                109,
                "Office 2021 Professional Plus",
                175_000,
                "Word, Excel, PowerPoint, dan Outlook untuk 1 PC, sekali bayar.",
                licence_key,
                45,
                fields={"reseller_price": 150_000},
            ),
            DemoProduct(
                110,
                "Canva Pro 1 Tahun",
                60_000,
                "Undangan ke tim Canva Pro memakai e-mail Anda sendiri.",
                code,
                75,
                popularity=7,
            ),
            DemoProduct(
                111,
                "Paket Desain Arsitek 3 Tahun",
                12_500_000,
                "Lisensi perusahaan untuk 5 komputer, termasuk pelatihan jarak jauh 2 hari. "
                "Pembayaran di atas Rp10.000.000 memakai saldo.",
                licence_key,
                20,
                popularity=0,
                fields={"per_order_limit": 2},
            ),
        ),
    ),
    DemoCategory(
        "VPN & Keamanan",
        (
            DemoProduct(
                112,
                "NordVPN 1 Tahun",
                90_000,
                "Untuk 6 perangkat. Aman dipakai di Wi-Fi kafe dan bandara.",
                account,
                40,
                fields={"reseller_price": 80_000},
            ),
            DemoProduct(
                113,
                "ExpressVPN 1 Bulan",
                35_000,
                "Server cepat di 90 negara, cocok untuk kerja jarak jauh.",
                account,
                60,
            ),
            DemoProduct(
                114,
                "Antivirus Keluarga 5 Perangkat",
                85_000,
                "Perlindungan 1 tahun untuk Windows, macOS, dan Android.",
                licence_key,
                3,
                popularity=2,
                fields={"low_stock_threshold": 5},
            ),
        ),
        {"discount_percent": 15},
    ),
    DemoCategory(
        "Kursus & E-book",
        (
            DemoProduct(
                115,
                "Kelas Python untuk Pemula",
                99_000,
                PYTHON_COURSE,
                shared="https://kelas.contoh.id/python-pemula\nKode masuk: DEMO-PYTHON",
                popularity=5,
            ),
            DemoProduct(
                116,
                "Kelas Desain Feed Instagram",
                49_000,
                "Angkatan terbatas 100 peserta, 8 video, dengan berkas latihan.",
                shared="https://kelas.contoh.id/desain-feed\nKode masuk: DEMO-FEED",
                fields={"quota": 100},
            ),
            DemoProduct(
                117,
                "E-book Jualan Digital dari Nol",
                35_000,
                "PDF ringkas: dari memilih produk sampai pelanggan pertama.",
                document=EBOOK,
                popularity=6,
                fields={"reseller_price": 25_000},
            ),
            DemoProduct(
                118,
                "Templat Anggaran Rumah Tangga",
                12_000,
                "Berkas CSV, bisa dibuka di Excel dan Google Spreadsheet.",
                document=BUDGET,
            ),
            DemoProduct(
                119,
                "Panduan Belanja",
                0,
                "Gratis! Cara belanja, bayar, dan menyimpan barang Anda.",
                document=GUIDE,
                popularity=3,
            ),
        ),
    ),
    DemoCategory(
        "Game",
        (
            DemoProduct(
                120,
                "Mobile Legends 86 Diamond",
                21_000,
                "Kode penukaran, masuk dalam hitungan detik.",
                code,
                140,
                popularity=12,
                fields={"reseller_price": 19_500},
            ),
            DemoProduct(
                121,
                "Steam Wallet Rp60.000",
                67_000,
                "Kode dompet Steam wilayah Indonesia.",
                code,
                90,
                popularity=6,
            ),
            DemoProduct(
                122,
                "Minecraft Java Edition",
                185_000,
                "Akun penuh, e-mail bisa diganti.",
                account,
                25,
                popularity=2,
            ),
            DemoProduct(
                123,
                "Stiker Chat Lucu",
                300,
                "Satu kode stiker. Murah meriah, dibayar dengan saldo.",
                code,
                150,
                popularity=2,
            ),
        ),
    ),
)
LOOSE = (
    DemoProduct(
        124,
        "Produk Uji Coba",
        1_000,
        "Coba alur belanja dari awal sampai akhir hanya dengan Rp1.000.",
        code,
        2_400,
        popularity=4,
    ),
)
"""Products without a category."""
PRODUCTS = (*(each for category in CATEGORIES for each in category.products), *LOOSE)
