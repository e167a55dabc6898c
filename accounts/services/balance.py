"""Every change of a balance: one ledger row, the cached balance moved with it."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.errors import InsufficientBalance
from accounts.models import Customer, LedgerEntry, LedgerKind
from core.money import ZERO, round_rupiah


@transaction.atomic
def post_entry(
    *,
    customer_id: int,
    amount: Decimal,
    kind: LedgerKind,
    reference: str,
    idempotency_key: str,
    actor: str,
    now: datetime,
) -> LedgerEntry:
    """Add `amount` (whole rupiah, negative to debit) to a balance, once per idempotency key.

    A key that was used before returns its entry and changes nothing. Raises InsufficientBalance
    when the balance would fall below 0 and ValueError for 0 or a fraction of a rupiah.
    """
    if amount == ZERO or amount != round_rupiah(amount):
        raise ValueError(f"not an amount for the ledger: {amount}")
    # The lock makes "read the balance, write balance_after" one step for all of this customer's.
    customer = Customer.objects.lock().get(pk=customer_id)
    known = LedgerEntry.objects.filter(idempotency_key=idempotency_key).first()
    if known is not None:
        return known
    balance = customer.account_balance + amount
    if balance < ZERO:
        raise InsufficientBalance(balance=customer.account_balance, needed=-amount)
    customer.account_balance = balance
    customer.save(update_fields=["account_balance"])
    return LedgerEntry.objects.create(
        customer=customer,
        amount=amount,
        balance_after=balance,
        kind=kind,
        reference=reference,
        actor=actor,
        idempotency_key=idempotency_key,
        created_at=now,
    )
