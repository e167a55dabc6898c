"""The demo store's customers, its personas, its staff group and its staff login."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from accounts.models import Customer, StaffChat
from accounts.services.customers import (
    TelegramProfile,
    choose_language,
    register_customer,
    set_role,
)
from operations.demo.assortment import ACTOR
from operations.demo.names import PEOPLE, Person


@dataclass(frozen=True)
class Buyer:
    """A customer of the history: how often they come, how much they take, what they keep."""

    profile: TelegramProfile
    visits: int = 0
    role: str = "customer"
    balance: int = 0
    """What staff leave on the account at the end; 0: whatever the purchases left."""

    @property
    def id(self) -> int:
        return self.profile.id

    @property
    def most_units(self) -> int:
        return 8 if self.role == "reseller" else 2


_BALANCES = {"customer": 250_000, "reseller": 1_500_000, "admin": 100_000}
_FIRST_ID = 800_000_101


def demo_personas() -> list[Buyer]:
    return [_persona(each) for each in settings.SANDBOX_PERSONAS]


def demo_buyers() -> list[Buyer]:
    """Return the customers besides the personas; the same people every time."""
    return [_buyer(user_id, person) for user_id, person in enumerate(PEOPLE, start=_FIRST_ID)]


def _persona(persona: Mapping[str, Any]) -> Buyer:
    names = ("id", "first_name", "last_name", "username", "language_code")
    profile = TelegramProfile(**{name: persona[name] for name in names})
    return Buyer(profile, role=persona["role"], balance=_BALANCES[persona["role"]])


def _buyer(user_id: int, person: Person) -> Buyer:
    names = (person.first_name, person.last_name, person.username, person.language)
    return Buyer(TelegramProfile(user_id, *names), person.visits, person.role)


def register_buyer(*, buyer: Buyer, now: datetime) -> None:
    """Register a customer as of `now`, with their role."""
    customer, is_new = register_customer(profile=buyer.profile)
    if is_new:
        # The database dates rows itself; these people came while the clock was travelling.
        Customer.objects.filter(pk=customer.pk).update(created_at=now)
    if not buyer.balance:  # whoever plays a persona chooses for themselves
        choose_language(customer_id=customer.pk, language=buyer.profile.language_code)
    if buyer.role != "customer":
        give_role(customer_id=customer.pk, role=f"is_{buyer.role}", now=now)


def give_role(*, customer_id: int, role: str, now: datetime) -> None:
    set_role(
        customer_id=customer_id, role=role, value=True, actor=ACTOR, source="command", now=now
    )


def make_staff() -> None:
    """Make the staff login and let the staff group hear of orders."""
    group = settings.SANDBOX_STAFF_CHAT
    StaffChat.objects.get_or_create(chat_id=group["id"], defaults={"title": group["title"]})
    login = settings.SANDBOX_STAFF_LOGIN
    if not User.objects.filter(username=login["username"]).exists():
        User.objects.create_superuser(**login)
