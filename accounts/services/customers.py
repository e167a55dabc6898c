"""Who customers are: registration, their roles, whether Telegram still reaches them."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.models import Customer
from audit.services import record_audit
from core.outbox import revive_messages

ROLES = ("is_admin", "is_reseller", "is_banned")
PAID_FOR = (
    "order_delivered",
    "payment_credited",
    "deposit_credited",
    "refund_credited",
    "refund_paid",
)
"""Kinds of messages a customer gave money for: a block does not end their claim to them."""


@dataclass(frozen=True)
class TelegramProfile:
    """What Telegram tells about a person with every update."""

    id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    language_code: str = ""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()[:255] or "Anonymous"


def register_customer(*, profile: TelegramProfile) -> tuple[Customer, bool]:
    """Return the customer of a Telegram profile and whether it is new.

    A known customer keeps the name they gave; username and Telegram language follow Telegram, and
    a customer who writes again is no longer marked as having blocked the bot and gets what they
    paid for meanwhile.
    """
    customer = Customer.objects.filter(pk=profile.id).first()
    if customer is None:
        return _create(profile)
    fresh = {
        "username": profile.username,
        "telegram_language": profile.language_code[:16],
        "blocked_bot_at": None,
    }
    changed = [name for name, value in fresh.items() if getattr(customer, name) != value]
    for name in changed:
        setattr(customer, name, fresh[name])
    if changed:
        _save(customer, changed)
    return customer, False


@transaction.atomic
def _save(customer: Customer, changed: list[str]) -> None:
    customer.save(update_fields=changed)
    if "blocked_bot_at" in changed:
        revive_messages(recipient=customer.pk, kinds=PAID_FOR)


def _create(profile: TelegramProfile) -> tuple[Customer, bool]:
    for _ in range(20):
        try:
            with transaction.atomic():
                return Customer.objects.get_or_create(
                    pk=profile.id,
                    defaults={
                        "name": profile.name,
                        "username": profile.username,
                        "telegram_language": profile.language_code[:16],
                        "bank_id": f"{secrets.randbelow(1_000_000):06d}",
                    },
                )
        except IntegrityError:
            # The bank id is taken (or a peer registered the same person): draw another.
            continue
    raise RuntimeError("no free bank id found in 20 draws")


@transaction.atomic
def set_role(
    *, customer_id: int, role: str, value: bool, actor: str, source: str, now: datetime
) -> Customer:
    """Turn `is_admin`, `is_reseller` or `is_banned` on or off, audited; ValueError otherwise."""
    if role not in ROLES:
        raise ValueError(role)
    customer = Customer.objects.lock().get(pk=customer_id)
    before = getattr(customer, role)
    if before == value:
        return customer
    setattr(customer, role, value)
    customer.save(update_fields=[role])
    record_audit(
        actor=actor,
        action="set_role",
        target=f"customer:{customer_id}",
        source=source,
        now=now,
        changes=({role: before}, {role: value}),
    )
    return customer


def choose_language(*, customer_id: int, language: str) -> None:
    Customer.objects.filter(pk=customer_id).update(language=language)


@transaction.atomic
def mark_blocked(*, customer_id: int, now: datetime) -> None:
    """Remember that Telegram refuses to deliver to this customer.

    Locked also when marked before: what the caller's transaction keeps back must not slip past
    the customer's writing again, which would leave it with nobody to revive it.
    """
    customer = Customer.objects.lock().filter(pk=customer_id).first()
    if customer is not None and customer.blocked_bot_at is None:
        customer.blocked_bot_at = now
        customer.save(update_fields=["blocked_bot_at"])
