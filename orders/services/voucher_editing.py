"""Vouchers as staff make and change them. What an order has used keeps its discount."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from audit.services import Changes, difference, record_audit
from orders.models import Voucher

EDITABLE = (
    "code",
    "amount",
    "percent",
    "most_discount",
    "least_subtotal",
    "valid_from",
    "valid_until",
    "total_uses",
    "uses_per_customer",
    "is_active",
)


@transaction.atomic
def create_voucher(
    *, fields: Mapping[str, Any], actor: str, source: str, now: datetime
) -> Voucher:
    """Create a voucher from columns (EDITABLE; ValueError for another). Raises ValidationError."""
    voucher = Voucher()
    _set(voucher, fields)
    voucher.save()
    _record("create_voucher", voucher, actor, source, now, (None, _values(voucher)))
    return voucher


@transaction.atomic
def update_voucher(
    *, voucher_id: int, changes: Mapping[str, Any], actor: str, source: str, now: datetime
) -> Voucher:
    """Change columns of a voucher; the rest stays as it is. Raises ValidationError."""
    voucher = Voucher.objects.lock().get(pk=voucher_id)
    before = _values(voucher)
    _set(voucher, changes)
    old, new = difference(before, _values(voucher))
    if new:
        voucher.save(update_fields=list(new))
        _record("update_voucher", voucher, actor, source, now, (old, new))
    return voucher


def check_voucher_terms(voucher: Voucher) -> None:
    """Raise ValidationError, by field, for terms that contradict each other."""
    if (voucher.amount is None) == (voucher.percent is None):
        sentence = "Give either an amount or a percentage, not both."
        raise ValidationError({"amount": sentence})
    if voucher.percent is not None and voucher.percent <= 0:
        raise ValidationError({"percent": "A percentage voucher takes off more than 0 %."})
    if voucher.valid_from and voucher.valid_until and voucher.valid_until <= voucher.valid_from:
        raise ValidationError({"valid_until": "This is before the voucher begins."})


def _set(voucher: Voucher, fields: Mapping[str, Any]) -> None:
    if not set(fields) <= set(EDITABLE):
        raise ValueError(sorted(set(fields) - set(EDITABLE)))
    for name, value in fields.items():
        setattr(voucher, name, value)
    voucher.code = voucher.code.strip().upper()
    check_voucher_terms(voucher)
    voucher.full_clean()


def _values(voucher: Voucher) -> dict[str, Any]:
    return {name: getattr(voucher, name) for name in EDITABLE}


def _record(
    action: str,
    voucher: Voucher,
    actor: str,
    source: str,
    now: datetime,
    changes: Changes,
) -> None:
    record_audit(
        actor=actor,
        action=action,
        target=f"voucher:{voucher.pk}",
        source=source,
        now=now,
        changes=changes,
    )
