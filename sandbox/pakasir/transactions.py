"""Life of a transaction: pending → completed or canceled; a canceled QR can still be paid late."""

import re
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.db.transaction import atomic
from django.utils import timezone

from sandbox.changes import tell
from sandbox.pakasir.errors import Refusal
from sandbox.pakasir.fees import MAXIMUM, MINIMUM, qris_fee
from sandbox.pakasir.models import PakasirTransaction
from sandbox.pakasir.qris import qris_string

Status = PakasirTransaction.Status
ORDER_ID = re.compile(r"[A-Za-z0-9._~-]{5,255}")


def find_or_create(*, order_id: str, amount: int) -> PakasirTransaction:
    if not ORDER_ID.fullmatch(order_id):
        raise Refusal(400, "order_id: at least 5 characters of A-Z a-z 0-9 . _ ~ -")
    if not MINIMUM <= amount <= MAXIMUM:
        raise Refusal(400, f"amount: from {MINIMUM} to {MAXIMUM}")
    with atomic():
        transaction, is_new = PakasirTransaction.objects.get_or_create(
            project=settings.SANDBOX_PAKASIR_PROJECT, order_id=order_id, defaults=_terms(amount)
        )
        if is_new:
            tell("payments")
    if transaction.amount != amount:
        raise Refusal(400, "order_id was used with another amount")
    return transaction


def _terms(amount: int) -> dict[str, Any]:
    txn_id, fee, now = f"TXN{secrets.token_hex(10).upper()}", qris_fee(amount), timezone.now()
    return {
        "txn_id": txn_id,
        "amount": amount,
        "fee": fee,
        "total_payment": amount + fee,
        "qr_string": qris_string(amount=amount + fee, reference=txn_id),
        "created_at": now,
        "expired_at": now + timedelta(days=1),
    }


def find(txn_id: str) -> PakasirTransaction:
    found = PakasirTransaction.objects.filter(txn_id=txn_id).first()
    if found is None:
        raise Refusal(404, "Transaction not found")
    return found


def pay(txn_id: str, *, amount: int | None = None) -> bool:
    """Complete it once; return False when somebody paid before. `amount`: what arrived instead."""
    transaction, now = find(txn_id), timezone.now()
    if transaction.expired_at <= now:
        raise Refusal(400, "The QR code has expired")
    # Two people pay at once: the condition lets one row change happen.
    unpaid = PakasirTransaction.objects.filter(pk=transaction.pk).exclude(status=Status.COMPLETED)
    return _change(unpaid, status=Status.COMPLETED, completed_at=now, paid_amount=amount)


def cancel(txn_id: str) -> None:
    transaction = find(txn_id)
    pending = PakasirTransaction.objects.filter(pk=transaction.pk, status=Status.PENDING)
    _change(pending, status=Status.CANCELED)
    transaction.refresh_from_db()
    if transaction.status == Status.COMPLETED:
        raise Refusal(400, "The transaction is completed")


@atomic
def _change(transactions: "QuerySet[PakasirTransaction]", **values: Any) -> bool:
    is_changed = bool(transactions.update(**values))
    if is_changed:
        tell("payments")
    return is_changed


def created_answer(transaction: PakasirTransaction) -> dict[str, Any]:
    return {
        "txn_id": transaction.txn_id,
        "project": transaction.project,
        "order_id": transaction.order_id,
        "amount": transaction.amount,
        "fee": transaction.fee,
        "total_payment": transaction.total_payment,
        "payment_method": "qris",
        "qr_string": transaction.qr_string,
        "va_number": None,
        "expired_at": nanoseconds(transaction.expired_at),
        "is_sandbox": False,
        "status": transaction.status,
        "completed_at": nanoseconds(transaction.completed_at),
    }


def status_answer(transaction: PakasirTransaction) -> dict[str, Any]:
    return {
        "txn_id": transaction.txn_id,
        "order_id": transaction.order_id,
        "amount": transaction.received,
        "is_sandbox": False,
        "status": transaction.status,
        "completed_at": nanoseconds(transaction.completed_at),
    }


def nanoseconds(at: datetime | None) -> str | None:
    """Write as the original does; what is finer than microseconds is made up."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}789Z" if at else None
