"""Deposits: money a customer puts on the balance by QRIS. They hold no goods.

A customer has one open deposit at a time: another one takes its place, so that nobody piles up QR
codes and nobody is told to cancel first. Money of any of them that still comes is credited.
"""

import hashlib
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.errors import CustomerBanned
from accounts.models import Customer
from core.errors import DomainError
from core.jobs import wake, wake_at
from core.models import store_settings
from core.money import round_rupiah
from core.outbox import enqueue_message
from payments.gateways import get_gateway
from payments.models import Payment, PaymentPurpose, PaymentStatus
from payments.services.closing import end_payment
from payments.services.schedule import JOB_HEAD_START, first_step_at


class DepositOutOfRange(DomainError):
    """Not whole rupiah, or not within the store's limits, which it carries."""

    code = "deposit_out_of_range"

    def __init__(self, *, least: Decimal, most: Decimal) -> None:
        super().__init__(f"between {least} and {most}")
        self.least = least
        self.most = most


class DepositNotFound(DomainError):
    """No such deposit, or not this customer's."""

    code = "deposit_not_found"


class DepositNotOpen(DomainError):
    """The deposit no longer waits for its money: it came, or the deposit ended."""

    code = "deposit_not_open"

    def __init__(self, payment: Payment) -> None:
        super().__init__(f"{payment.reference} is {payment.status}")
        self.payment = payment


@transaction.atomic
def start_deposit(
    *,
    customer_id: int,
    amount: Decimal,
    key: str,
    chat_id: int,
    message_id: int | None,
    now: datetime,
) -> Payment:
    """Begin a deposit; its QR follows when the gateway has made it, in place of `message_id`.

    `key` is that of the button: pressed twice it is the same deposit, whatever became of it.
    Another open deposit of this customer is cancelled. Raises CustomerBanned or
    DepositOutOfRange; then nothing changed.
    """
    # One customer's deposits wait for each other here: a double tap finds the first one.
    customer = Customer.objects.lock().get(pk=customer_id)
    reference = deposit_reference(customer_id=customer_id, key=key)
    known = customer.payments.filter(reference=reference).first()
    if known is not None and not (known.is_open and customer.is_banned):
        return known
    if customer.is_banned:
        raise CustomerBanned
    _check_amount(amount)
    for other in customer.payments.open().filter(order=None).order_by("pk").lock():
        _cancel(other, now)
    return _begin(customer, reference, amount, (chat_id, message_id), now)


def deposit_reference(*, customer_id: int, key: str) -> str:
    """Return the gateway's order id of a deposit: the customer's own, and telling nothing."""
    digest = hashlib.sha256(f"deposit:{customer_id}:{key}".encode()).hexdigest()
    return f"QD{digest[:24].upper()}"


def _check_amount(amount: Decimal) -> None:
    limits = store_settings()
    is_whole = amount == round_rupiah(amount)
    if not is_whole or not limits.deposit_least <= amount <= limits.deposit_most:
        raise DepositOutOfRange(
            least=Decimal(limits.deposit_least), most=Decimal(limits.deposit_most)
        )


def _begin(
    customer: Customer,
    reference: str,
    amount: Decimal,
    shown: tuple[int, int | None],
    now: datetime,
) -> Payment:
    payment = Payment.objects.create(
        purpose=PaymentPurpose.DEPOSIT,
        customer=customer,
        gateway=get_gateway().name,
        reference=reference,
        amount=amount,
        created_at=now,
        expires_at=now + store_settings().payment_time,
        next_check_at=now + JOB_HEAD_START,
        chat_id=shown[0],
        message_id=shown[1],
    )
    wake("open_payment", payment.pk)
    wake_at("expire_payment", first_step_at(payment), payment.pk)
    return payment


@transaction.atomic
def retry_deposit(
    *, payment_id: int, customer_id: int, chat_id: int, message_id: int | None, now: datetime
) -> Payment:
    """Try the gateway again for an open deposit; its expiry stays as it was.

    Raises CustomerBanned, DepositNotFound, or DepositNotOpen when it ended or its time is over.
    """
    customer = Customer.objects.lock().get(pk=customer_id)
    payment = _lock_own(payment_id, customer_id)
    if not payment.is_open or payment.expires_at <= now:
        raise DepositNotOpen(payment)
    if customer.is_banned:
        raise CustomerBanned
    if payment.status == PaymentStatus.CREATING:
        payment.chat_id, payment.message_id = chat_id, message_id
        payment.next_check_at = now
        payment.save(update_fields=["chat_id", "message_id", "next_check_at"])
        wake("open_payment", payment.pk)
    return payment


@transaction.atomic
def cancel_deposit(*, payment_id: int, customer_id: int, now: datetime) -> Payment:
    """Cancel a customer's own open deposit. Idempotent.

    Raises DepositNotFound, or DepositNotOpen when it expired or its money has arrived.
    """
    payment = _lock_own(payment_id, customer_id)
    if payment.status == PaymentStatus.CANCELLED:
        return payment
    if not payment.is_open:
        raise DepositNotOpen(payment)
    _cancel(payment, now)
    return payment


def get_deposit(*, payment_id: int, customer_id: int) -> Payment:
    """Return a customer's own deposit or raise DepositNotFound."""
    return _own(Payment.objects.filter(pk=payment_id, customer=customer_id, order=None).first())


def _lock_own(payment_id: int, customer_id: int) -> Payment:
    rows = Payment.objects.lock().filter(pk=payment_id, customer=customer_id, order=None)
    return _own(rows.first())


def _own(payment: Payment | None) -> Payment:
    if payment is None:
        raise DepositNotFound
    return payment


def _cancel(payment: Payment, now: datetime) -> None:
    end_payment(payment=payment, status=PaymentStatus.CANCELLED, now=now)
    tell_of_deposit("deposit_cancelled", payment)


def tell_of_deposit(kind: str, payment: Payment) -> None:
    enqueue_message(
        recipient=payment.customer_id,
        kind=kind,
        references={"payment_id": payment.pk},
        dedupe_key=f"{kind}:{payment.pk}",
    )
