"""Rupiah: the only place that rounds, formats and parses money.

Money is a Decimal in whole rupiah, stored as DECIMAL(15,2).
"""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Func, Q

if TYPE_CHECKING:
    _DecimalField = models.DecimalField[Any, Any]
else:
    _DecimalField = models.DecimalField

ZERO = Decimal(0)
MOST = Decimal(9_999_999_999_999)
_WRITTEN = re.compile(
    r"(?:rp\.?\s*)?(?:(\d{1,3}(?:\.\d{3})+)(?:,00?)?|(\d{1,3}(?:,\d{3})+)(?:\.00?)?|(\d{1,13}))",
    re.IGNORECASE,
)


class MoneyField(_DecimalField):
    """Whole rupiah in a DECIMAL(15,2) column; pair it with `whole_rupiah` in Meta.constraints."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 15)
        kwargs.setdefault("decimal_places", 2)
        super().__init__(*args, **kwargs)


def whole_rupiah(name: str, *fields: str) -> models.CheckConstraint:
    """Return the constraint that each of these columns holds whole rupiah (or NULL)."""
    condition = Q()
    for field in fields:
        condition &= Q(**{field: Func(F(field), function="TRUNC")}) | Q(
            **{f"{field}__isnull": True}
        )
    return models.CheckConstraint(condition=condition, name=name)


def not_negative(name: str, *fields: str) -> models.CheckConstraint:
    condition = Q()
    for field in fields:
        condition &= Q(**{f"{field}__gte": 0}) | Q(**{f"{field}__isnull": True})
    return models.CheckConstraint(condition=condition, name=name)


NOT_NEGATIVE = MinValueValidator(ZERO)


def round_rupiah(amount: Decimal) -> Decimal:
    """Round to whole rupiah, half up."""
    return amount.quantize(Decimal(1), rounding=ROUND_HALF_UP)


def percent_of(amount: Decimal, percent: Decimal) -> Decimal:
    return round_rupiah(amount * percent / 100)


def rupiah(amount: Decimal | int) -> str:
    """Format as people in Indonesia write it: `Rp50.000`, `-Rp1.500`."""
    whole = int(round_rupiah(Decimal(amount)))
    sign = "-" if whole < 0 else ""
    return f"{sign}Rp{abs(whole):,}".replace(",", ".")


def parse_rupiah(text: str) -> Decimal:
    """Parse `50000`, `50.000`, `Rp 50.000` or `Rp50.000,00`; raise ValueError on anything else."""
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    return Decimal(re.sub(r"[.,]", "", next(filter(None, found.groups()))))
