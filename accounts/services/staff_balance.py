"""Staff add to a balance or set it right; the customer is told and the trail says who did it."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.errors import AmountRefused, BalanceMoved, CustomerNotFound
from accounts.models import Customer, LedgerEntry, LedgerKind
from accounts.services.balance import post_entry
from audit.services import record_audit
from core.money import MOST, ZERO, round_rupiah
from core.outbox import enqueue_message

LEAST = Decimal(1)


@transaction.atomic
def transfer_to_balance(
    *, customer_id: int, amount: Decimal, key: str, actor: str, source: str, now: datetime
) -> LedgerEntry:
    """Add `amount` to a balance, once per `key` of the form or command that asks for it.

    A key that was used before returns its entry and changes nothing. Raises CustomerNotFound or
    AmountRefused; then nothing changed.
    """
    customer = _lock(customer_id)
    idempotency_key = _key(LedgerKind.TRANSFER, customer, key)
    known = _known(idempotency_key)
    if known is not None:
        return known
    _check(amount, least=LEAST, most=MOST - customer.account_balance)
    return _post(customer, amount, LedgerKind.TRANSFER, idempotency_key, (actor, source, now))


@transaction.atomic
def correct_balance(
    *,
    customer_id: int,
    balance: Decimal,
    key: str,
    actor: str,
    source: str,
    now: datetime,
    seen: Decimal | None = None,
) -> LedgerEntry | None:
    """Set a balance to exactly `balance` by one correcting entry; None: it is that already.

    A key that was used before returns its entry and changes nothing. With `seen` only while the
    balance is still that one. Raises CustomerNotFound, AmountRefused or BalanceMoved; then
    nothing changed.
    """
    customer = _lock(customer_id)
    idempotency_key = _key(LedgerKind.CORRECTION, customer, key)
    known = _known(idempotency_key)
    if known is not None:
        return known
    _check(balance, least=ZERO, most=MOST)
    if seen is not None and seen != customer.account_balance:
        raise BalanceMoved(balance=customer.account_balance)
    amount = balance - customer.account_balance
    if amount == ZERO:
        return None
    return _post(customer, amount, LedgerKind.CORRECTION, idempotency_key, (actor, source, now))


def _lock(customer_id: int) -> Customer:
    # Looking for the key, and the balance that is corrected, are one step with the posting.
    customer = Customer.objects.lock().filter(pk=customer_id).first()
    if customer is None:
        raise CustomerNotFound
    return customer


def _key(kind: LedgerKind, customer: Customer, key: str) -> str:
    return f"staff:{kind}:{customer.pk}:{key[:64]}"


def _known(idempotency_key: str) -> LedgerEntry | None:
    return LedgerEntry.objects.filter(idempotency_key=idempotency_key).first()


def _check(amount: Decimal, *, least: Decimal, most: Decimal) -> None:
    if not least <= amount <= most or amount != round_rupiah(amount):
        raise AmountRefused(least=least, most=most)


def _post(
    customer: Customer,
    amount: Decimal,
    kind: LedgerKind,
    idempotency_key: str,
    signature: tuple[str, str, datetime],
) -> LedgerEntry:
    actor, source, now = signature
    entry = post_entry(
        customer_id=customer.pk,
        amount=amount,
        kind=kind,
        reference="",
        idempotency_key=idempotency_key,
        actor=actor,
        now=now,
    )
    action = "transfer_to_balance" if kind == LedgerKind.TRANSFER else "correct_balance"
    after = {"balance": entry.balance_after, "entry": entry.pk}
    record_audit(
        actor=actor,
        action=action,
        target=f"customer:{customer.pk}",
        source=source,
        now=now,
        changes=({"balance": customer.account_balance}, after),
    )
    enqueue_message(
        recipient=customer.pk,
        kind="balance_changed",
        references={"entry_id": entry.pk},
        dedupe_key=f"balance_changed:{entry.pk}",
    )
    return entry
