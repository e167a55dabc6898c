from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.errors import InsufficientBalance
from accounts.models import Customer, LedgerEntry, LedgerKind
from accounts.services.balance import post_entry
from tests.world import World


def post(world: World, customer: Customer, amount: Decimal | int, key: str) -> LedgerEntry:
    return post_entry(
        customer_id=customer.pk,
        amount=Decimal(amount),
        kind=LedgerKind.TRANSFER,
        reference="",
        idempotency_key=key,
        actor="staff:1",
        now=world.now,
    )


def test_credit_moves_the_balance_and_writes_one_row(world: World) -> None:
    customer = world.customer()
    entry = post(world, customer, 50_000, "a")
    customer.refresh_from_db()
    assert customer.account_balance == Decimal(50_000)
    assert (entry.amount, entry.balance_after) == (Decimal(50_000), Decimal(50_000))


def test_same_key_again_changes_nothing(world: World) -> None:
    customer = world.customer()
    first = post(world, customer, 50_000, "a")
    second = post(world, customer, 99_000, "a")
    customer.refresh_from_db()
    assert first.pk == second.pk
    assert customer.account_balance == Decimal(50_000)


def test_debit_below_zero_is_refused_and_says_what_is_missing(world: World) -> None:
    customer = world.customer(balance=30_000)
    with pytest.raises(InsufficientBalance) as refusal:
        post(world, customer, -50_000, "a")
    customer.refresh_from_db()
    assert refusal.value.missing == Decimal(20_000)
    assert customer.account_balance == Decimal(30_000)
    assert LedgerEntry.objects.filter(customer=customer).count() == 1


@pytest.mark.parametrize("amount", [Decimal(0), Decimal("0.5"), Decimal("100.01")])
def test_zero_and_fractions_are_no_ledger_amounts(world: World, amount: Decimal) -> None:
    customer = world.customer()
    with pytest.raises(ValueError, match="not an amount"):
        post(world, customer, amount, "a")
    assert not LedgerEntry.objects.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_ledgerentry SET amount = 1",
        "DELETE FROM accounts_ledgerentry",
        "TRUNCATE accounts_ledgerentry",
    ],
)
def test_the_database_refuses_to_change_the_ledger(world: World, statement: str) -> None:
    world.customer(balance=1_000)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert LedgerEntry.objects.get().amount == Decimal(1_000)


def test_the_database_refuses_a_negative_balance(world: World) -> None:
    customer = world.customer()
    with pytest.raises(IntegrityError), transaction.atomic():
        Customer.objects.filter(pk=customer.pk).update(account_balance=-1)


def test_the_database_refuses_a_fraction_of_a_rupiah(world: World) -> None:
    customer = world.customer()
    with pytest.raises(IntegrityError), transaction.atomic():
        Customer.objects.filter(pk=customer.pk).update(account_balance=Decimal("10.50"))
