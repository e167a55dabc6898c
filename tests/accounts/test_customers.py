import pytest

from accounts.models import Customer
from accounts.services.customers import (
    TelegramProfile,
    mark_blocked,
    register_customer,
    set_role,
)
from audit.models import AuditEntry
from tests.world import World


def profile(**fields: str) -> TelegramProfile:
    return TelegramProfile(id=700_111_222, **({"first_name": "Sari"} | fields))


def test_a_new_person_becomes_a_customer_with_a_bank_id(db: None) -> None:
    customer, is_new = register_customer(profile=profile(last_name="Dewi", username="sari"))
    assert is_new
    assert (customer.pk, customer.name, customer.username) == (700_111_222, "Sari Dewi", "sari")
    assert len(customer.bank_id) == 6


def test_a_known_person_keeps_the_name_and_gets_the_new_username(db: None) -> None:
    register_customer(profile=profile(username="old"))
    customer, is_new = register_customer(profile=profile(first_name="Other", username="new"))
    assert not is_new
    assert (customer.name, customer.username) == ("Sari", "new")
    assert Customer.objects.count() == 1


def test_a_person_without_a_name_is_anonymous(db: None) -> None:
    customer, _ = register_customer(profile=profile(first_name=""))
    assert customer.name == "Anonymous"


def test_who_writes_again_is_reachable_again(world: World) -> None:
    register_customer(profile=profile())
    mark_blocked(customer_id=700_111_222, now=world.now)
    assert not Customer.objects.reachable().exists()
    register_customer(profile=profile())
    assert Customer.objects.reachable().exists()


def test_a_taken_bank_id_is_drawn_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = world.customer().bank_id
    draws = iter([int(taken), int(taken), 424_242 if taken != "424242" else 424_243])
    monkeypatch.setattr("secrets.randbelow", lambda _limit: next(draws))
    customer, _ = register_customer(profile=profile())
    assert customer.bank_id != taken


def test_a_role_change_is_audited_once(world: World) -> None:
    customer = world.customer()
    for _ in range(2):
        set_role(
            customer_id=customer.pk,
            role="is_reseller",
            value=True,
            actor="staff:1",
            source="admin",
            now=world.now,
        )
    customer.refresh_from_db()
    assert customer.member_status == "reseller"
    entry = AuditEntry.objects.get(action="set_role")
    assert (entry.before, entry.after) == ({"is_reseller": False}, {"is_reseller": True})
