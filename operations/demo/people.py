"""The demo store's customers, its personas, its staff group and its staff login."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from accounts.models import Customer, StaffChat
from accounts.services.customers import TelegramProfile, register_customer, set_role
from operations.demo.assortment import ACTOR

STAFF_USERNAME = "owner"
STAFF_PASSWORD = "quickcart-demo"  # noqa: S105 (public by design: sandbox only)


@dataclass(frozen=True)
class Buyer:
    """A customer of the history: how often they come, how much they take, what they keep."""

    profile: TelegramProfile
    orders: int
    most_units: int = 2
    role: str = "customer"
    balance: int = 0
    """What staff leave on the account at the end; 0: whatever the purchases left."""

    @property
    def id(self) -> int:
        return self.profile.id


_HABITS: dict[str, dict[str, int]] = {
    "customer": {"orders": 7, "balance": 250_000},
    "reseller": {"orders": 12, "most_units": 8, "balance": 1_500_000},
    "admin": {"orders": 2, "balance": 100_000},
}
_OTHERS = (
    ("Siti", "Nurhaliza Putri", "siti.putri", 9),
    ("Agus", "Setiawan", "agus_setiawan", 8),
    ("Dewi", "Lestari", "dewilestari", 7),
    ("Eko", "Prasetyo", "", 7),
    ("Fitri", "Handayani", "fitri_h", 6),
    ("Gilang", "Ramadhan", "gilangrmd", 5),
    ("Hendra", "Gunawan", "hendra_gun", 5),
    ("Indah", "Permatasari", "indahperma", 4),
    ("Joko", "Susilo", "", 4),
    ("Kartika", "Sari", "kartikasari", 3),
    ("Made", "Wirawan", "made_wirawan", 2),
    ("Ulfa", "", "ulfa_", 2),
)
_FIRST_OTHER_ID = 800_000_101


def demo_buyers() -> list[Buyer]:
    """Return the personas and the other customers; the same people every time."""
    personas = [_persona(each) for each in settings.SANDBOX_PERSONAS]
    others = [
        Buyer(TelegramProfile(user_id, first_name, last_name, username, "id"), orders)
        for user_id, (first_name, last_name, username, orders) in enumerate(
            _OTHERS, start=_FIRST_OTHER_ID
        )
    ]
    return [*personas, *others]


def _persona(persona: Mapping[str, Any]) -> Buyer:
    names = ("id", "first_name", "last_name", "username", "language_code")
    profile = TelegramProfile(**{name: persona[name] for name in names})
    return Buyer(profile, role=persona["role"], **_HABITS[persona["role"]])


def register_buyer(*, buyer: Buyer, now: datetime) -> None:
    """Register a customer as of `now`, with their role."""
    customer, is_new = register_customer(profile=buyer.profile)
    if is_new:
        # The database dates rows itself; these people came while the clock was travelling.
        Customer.objects.filter(pk=customer.pk).update(created_at=now)
    if buyer.role != "customer":
        set_role(
            customer_id=customer.pk,
            role=f"is_{buyer.role}",
            value=True,
            actor=ACTOR,
            source="command",
            now=now,
        )


def make_staff() -> None:
    """Make the staff login and let the staff group hear of orders."""
    group = settings.SANDBOX_STAFF_CHAT
    StaffChat.objects.get_or_create(chat_id=group["id"], defaults={"title": group["title"]})
    if not User.objects.filter(username=STAFF_USERNAME).exists():
        User.objects.create_superuser(username=STAFF_USERNAME, password=STAFF_PASSWORD)
