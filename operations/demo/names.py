"""The demo store's customers besides its personas: invented people."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """`visits` weighs how often they come; 0: they only look. `role` as the personas have it."""

    first_name: str
    last_name: str
    username: str
    visits: int
    language: str = "id"
    role: str = "customer"


PEOPLE = (
    Person("Siti", "Nurhaliza Putri", "siti.putri", 20),
    Person("Agus", "Setiawan", "agus_setiawan", 18),
    Person("Dewi", "Lestari", "dewilestari", 16),
    Person("Eko", "Prasetyo", "", 15),
    Person("Toko Maju", "Digital", "majudigital", 14, role="reseller"),
    Person("Fitri", "Handayani", "fitri_h", 13),
    Person("Gilang", "Ramadhan", "gilangrmd", 12),
    Person("Hendra", "Gunawan", "hendra_gun", 12),
    Person("Indah", "Permatasari", "indahperma", 11),
    Person("Joko", "Susilo", "", 11),
    Person("Kartika", "Sari", "kartikasari", 10),
    Person("Made", "Wirawan", "made_wirawan", 10),
    Person("Ulfa", "", "ulfa_", 9),
    Person("Yudha", "Cell", "yudhacell", 9, role="reseller"),
    Person("Rizky", "Maulana", "rizkymlna", 9),
    Person("Putu", "Ayu Lestari", "putuayu", 8),
    Person("Bambang", "Hermawan", "", 8),
    Person("Nadia", "Salsabila", "nadiasals", 8),
    Person("Fajar", "Nugroho", "fajarnugroho", 7),
    Person("Emma", "Collins", "emmacollins", 7, language="en"),
    Person("Lia", "Amelia", "liaamelia_", 7),
    Person("Dimas", "Aditya", "dimasadit", 7),
    Person("Wulan", "Anggraini", "", 6),
    Person("Ahmad", "Fauzi", "ahmadfauzi88", 6),
    Person("Maria", "Simanjuntak", "mariasimanj", 6),
    Person("Yoga", "Pranata", "yogapranata", 6),
    Person("Tom", "Becker", "tom_in_bali", 5, language="en"),
    Person("Rahmat", "Hidayat", "", 5),
    Person("Nur", "Aini", "nuraini.id", 5),
    Person("Galih", "Saputra", "galihsptr", 5),
    Person("Ratna", "Dewi", "ratnadw", 4),
    Person("Andreas", "Siregar", "andreas_srg", 4),
    Person("Putri", "Maharani", "putrimhrn", 4),
    Person("Arif", "Budiman", "", 4),
    Person("Priya", "Nair", "priyanair", 4, language="en"),
    Person("Bayu", "Kurniawan", "bayukurn", 4),
    Person("Melati", "Kusuma", "melatiksm", 3),
    Person("Ilham", "Akbar", "ilhamakbr", 3),
    Person("Cahya", "Pertiwi", "", 3),
    Person("Reza", "Firmansyah", "rezafirman", 3),
    Person("Ketut", "Suardana", "ketutsuar", 3),
    Person("Anisa", "Rahmawati", "anisarhm", 2),
    Person("Doni", "Tri Wibowo", "", 2),
    Person("Vina", "Oktaviani", "vinaokta", 2),
    Person("Slamet", "Riyadi", "slametriyadi", 2),
    Person("Hana", "Kim", "hanakim_jkt", 2, language="en"),
    Person("Surya", "Darmawan", "suryadrm", 2),
    Person("Tri", "Utami", "", 1),
    Person("Bagas", "Wicaksono", "bagaswcks", 0),
    Person("Sinta", "Maharani", "", 0),
)
BANNED = "bayukurn"
BLOCKED_THE_BOT = "ratnadw"
"""Usernames."""
