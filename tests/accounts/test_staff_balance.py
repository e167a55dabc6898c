"""Staff add to a balance and set it right: once, audited, told."""

from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError

from accounts.errors import AmountRefused, BalanceMoved, CustomerNotFound
from accounts.models import Customer, CustomerQuerySet, LedgerEntry, LedgerKind
from accounts.services.staff_balance import correct_balance, transfer_to_balance
from audit.models import AuditEntry
from core.models import OutboxMessage
from core.money import MOST
from tests.concurrency import at_once, unlocked
from tests.world import World

SIGNATURE = {"actor": "staff:owner", "source": "admin"}


def transfer(world: World, customer: Customer, amount: int | Decimal, key: str = "k") -> Any:
    return transfer_to_balance(
        customer_id=customer.pk, amount=Decimal(amount), key=key, now=world.now, **SIGNATURE
    )


def correct(
    world: World, customer: Customer, balance: int | Decimal, key: str = "k", **seen: Any
) -> Any:
    return correct_balance(
        customer_id=customer.pk,
        balance=Decimal(balance),
        key=key,
        now=world.now,
        **SIGNATURE,
        **seen,
    )


def nothing_changed(customer: Customer, entries: int) -> bool:
    before = customer.account_balance
    customer.refresh_from_db()
    return (
        customer.account_balance == before
        and LedgerEntry.objects.count() == entries
        and not AuditEntry.objects.filter(target=f"customer:{customer.pk}").exists()
        and not OutboxMessage.objects.exists()
    )


def test_a_transfer_is_one_entry_one_audit_row_and_one_message(world: World) -> None:
    customer = world.customer(balance=20_000)
    entry = transfer(world, customer, 50_000)
    customer.refresh_from_db()
    assert customer.account_balance == entry.balance_after == 70_000
    assert (entry.kind, entry.amount, entry.actor) == ("transfer", 50_000, "staff:owner")
    audit = AuditEntry.objects.get(action="transfer_to_balance")
    assert (audit.actor, audit.target) == ("staff:owner", f"customer:{customer.pk}")
    assert audit.before == {"balance": "20000"}
    assert audit.after == {"balance": "70000", "entry": entry.pk}
    message = OutboxMessage.objects.get()
    assert (message.recipient, message.kind) == (customer.pk, "balance_changed")
    assert message.references == {"entry_id": entry.pk}


def test_the_same_transfer_again_changes_nothing(world: World) -> None:
    customer = world.customer()
    assert transfer(world, customer, 50_000) == transfer(world, customer, 60_000)
    customer.refresh_from_db()
    assert customer.account_balance == 50_000
    assert AuditEntry.objects.filter(action="transfer_to_balance").count() == 1
    assert OutboxMessage.objects.count() == 1


def test_one_key_for_two_customers_is_two_transfers(world: World) -> None:
    assert transfer(world, world.customer(), 1) != transfer(world, world.customer(), 1)


@pytest.mark.parametrize("amount", [0, -1, Decimal("0.5"), MOST])
def test_a_transfer_of_what_is_no_amount_is_refused(world: World, amount: Any) -> None:
    customer = world.customer(balance=1)
    with pytest.raises(AmountRefused) as refusal:
        transfer(world, customer, amount)
    assert (refusal.value.least, refusal.value.most) == (1, MOST - 1)
    assert nothing_changed(customer, entries=1)


@pytest.mark.parametrize(
    ("balance", "amount"), [(150_000, 80_000), (5_000, -65_000), (0, -70_000)]
)
def test_a_correction_brings_the_balance_to_exactly_what_is_given(
    world: World, balance: int, amount: int
) -> None:
    customer = world.customer(balance=70_000)
    entry = correct(world, customer, balance)
    customer.refresh_from_db()
    assert customer.account_balance == balance
    assert (entry.kind, entry.amount) == (LedgerKind.CORRECTION, amount)
    audit = AuditEntry.objects.get(action="correct_balance")
    assert (audit.before["balance"], audit.after["balance"]) == ("70000", str(balance))


def test_the_same_correction_again_changes_nothing(world: World) -> None:
    customer = world.customer(balance=70_000)
    first = correct(world, customer, 50_000)
    transfer(world, customer, 10_000)
    assert correct(world, customer, 50_000) == first
    customer.refresh_from_db()
    assert customer.account_balance == 60_000


def test_a_correction_to_what_it_is_changes_nothing(world: World) -> None:
    customer = world.customer(balance=70_000)
    assert correct(world, customer, 70_000) is None
    assert nothing_changed(customer, entries=1)


@pytest.mark.parametrize("balance", [-1, Decimal("0.5"), MOST + 1])
def test_a_correction_to_what_is_no_balance_is_refused(world: World, balance: Any) -> None:
    customer = world.customer(balance=70_000)
    with pytest.raises(AmountRefused):
        correct(world, customer, balance)
    assert nothing_changed(customer, entries=1)


def test_a_correction_of_a_balance_that_moved_is_refused(world: World) -> None:
    customer = world.customer(balance=70_000)
    with pytest.raises(BalanceMoved) as refusal:
        correct(world, customer, 50_000, seen=Decimal(60_000))
    assert refusal.value.balance == 70_000
    assert nothing_changed(customer, entries=1)
    assert correct(world, customer, 50_000, seen=Decimal(70_000)).amount == -20_000


@pytest.mark.parametrize("service", [transfer, correct])
def test_nobodys_balance_is_not_found(world: World, service: Any) -> None:
    with pytest.raises(CustomerNotFound):
        service(world, Customer(pk=1), 5)
    assert not LedgerEntry.objects.exists()


@pytest.mark.django_db(transaction=True, databases=["default", "audit"])
class TestTwentyAtOnce:
    def submit(self, world: World) -> tuple[Customer, list[Any]]:
        customer = world.customer()
        results = at_once([partial(transfer, world, customer, 50_000)] * 20)
        customer.refresh_from_db()
        return customer, results

    def test_one_form_sent_twenty_times_posts_once(self, committed_world: World) -> None:
        customer, results = self.submit(committed_world)
        assert {entry.pk for entry in results} == {LedgerEntry.objects.get().pk}
        assert customer.account_balance == 50_000
        assert AuditEntry.objects.filter(action="transfer_to_balance").count() == 1
        assert OutboxMessage.objects.count() == 1

    def test_control_without_the_customers_lock_only_the_keys_constraint_stops_it(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(CustomerQuerySet, "lock", unlocked)
        _customer, results = self.submit(committed_world)
        assert any(isinstance(result, IntegrityError) for result in results)
