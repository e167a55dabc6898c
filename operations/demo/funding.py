"""How money comes to a balance in the demo: deposits by QRIS, transfers by staff."""

from collections.abc import Generator
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from accounts.models import Customer, LedgerKind
from accounts.services.balance import post_entry
from core.clock import local_date
from core.ids import random_code
from core.models import store_settings
from core.money import ZERO
from operations.demo.assortment import ACTOR
from operations.demo.bank import DemoBank
from operations.demo.people import Buyer
from payments.models import Payment, PaymentPurpose
from payments.services.opening import open_payment
from payments.services.settle import settle

DEPOSITS = tuple(Decimal(amount) for amount in (50_000, 100_000, 200_000))
TRANSFER_STEP = Decimal(250_000)
KEY_PREFIX = "seed_demo:"
"""Ledger keys of the demo; ledger rows are never deleted, so they tell that it was seeded."""

Funding = Generator[datetime, None, datetime]
SECOND = timedelta(seconds=1)


def provide(customer_id: int, needed: Decimal, bank: DemoBank, at: datetime) -> Funding:
    """Let the customer have the money from `at` on: small sums are deposits, big ones transfers.

    Returns when the purchase goes on.
    """
    missing = needed - Customer.objects.get(pk=customer_id).account_balance
    if missing <= ZERO:
        return at
    deposit = next((each for each in DEPOSITS if each >= missing), None)
    if deposit is not None:
        return (yield from _deposit(customer_id, deposit, bank, at))
    steps = (missing / TRANSFER_STEP).to_integral_value(rounding=ROUND_CEILING)
    _transfer(customer_id, steps * TRANSFER_STEP, key=f"{at:%y%m%d%H%M%S}", now=at)
    return at + 30 * SECOND


def top_up_to(*, buyer: Buyer, now: datetime) -> None:
    """Bring a persona's balance to what it is meant to have."""
    customer = Customer.objects.get(pk=buyer.id)
    missing = Decimal(buyer.balance) - customer.account_balance
    if missing > ZERO:
        _transfer(buyer.id, missing, key="persona", now=now)


def _deposit(customer_id: int, amount: Decimal, bank: DemoBank, at: datetime) -> Funding:
    payment = Payment.objects.create(
        purpose=PaymentPurpose.DEPOSIT,
        customer_id=customer_id,
        gateway=bank.name,
        reference=f"QC{local_date(at):%y%m%d}{random_code(14)}",
        amount=amount,
        created_at=at,
        expires_at=at + store_settings().payment_time,
        chat_id=customer_id,
    )
    open_payment(payment_id=payment.pk, now=at + SECOND)
    paid_at = at + 40 * SECOND
    yield paid_at
    txn_id = bank.txn_of(payment.reference)
    bank.pay(txn_id, at=paid_at)
    settle(payment_id=payment.pk, told=bank.status(txn_id), now=paid_at + SECOND)
    yield paid_at + 30 * SECOND
    return paid_at + 30 * SECOND


def _transfer(customer_id: int, amount: Decimal, *, key: str, now: datetime) -> None:
    post_entry(
        customer_id=customer_id,
        amount=amount,
        kind=LedgerKind.TRANSFER,
        reference="",
        idempotency_key=f"{KEY_PREFIX}{customer_id}:{key}",
        actor=ACTOR,
        now=now,
    )
