"""How much of a price is given back: the period, what counts after how many days and claims.

Written in one line as `30|0:0.8,7:0.7|1:0.6,3:0.5,4:0.4`: a period of 30 days; without a claim 0.8
from day 0 and 0.7 from day 7; 0.6 from the first claim, 0.5 from the third, 0.4 from the fourth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Self

from core.errors import DomainError
from core.money import ZERO, round_rupiah

Step = tuple[int, Decimal]
"""From how many days or claims on, and the multiplier that counts then."""
Steps = tuple[Step, ...]
MOST_DAYS = 3650
MOST_STEPS = 20
PLACES = 4
"""Digits behind the point of a multiplier."""
EXAMPLE = "30|0:0.8,7:0.7|1:0.6,3:0.5,4:0.4"


class FormulaProblem(StrEnum):
    PARTS = "parts"  # not three parts
    PERIOD = "period"  # no whole number of days from 1 to MOST_DAYS
    STEP = "step"  # not NUMBER:MULTIPLIER
    FRACTION = "fraction"  # a multiplier below 0, above 1 or with too many digits
    FIRST_DAY = "first_day"  # the days do not begin with 0
    FIRST_CLAIM = "first_claim"  # the claims do not begin with 1
    ORDER = "order"  # not ascending, or a number twice
    TOO_MANY = "too_many"  # more than MOST_STEPS


class FormulaRefused(DomainError):
    """`part` is the piece of the formula that `problem` is about."""

    code = "formula_refused"

    def __init__(self, problem: FormulaProblem, part: str = "") -> None:
        super().__init__(f"{problem}: {part}")
        self.problem = problem
        self.part = part


@dataclass(frozen=True)
class RefundTerms:
    """A formula. Raises FormulaRefused for one that contradicts itself."""

    period_days: int = 30
    day_steps: Steps = ((0, Decimal("0.8")), (7, Decimal("0.7")))
    claim_steps: Steps = ((1, Decimal("0.6")), (3, Decimal("0.5")), (4, Decimal("0.4")))

    def __post_init__(self) -> None:
        if not 1 <= self.period_days <= MOST_DAYS:
            raise FormulaRefused(FormulaProblem.PERIOD, str(self.period_days))
        _check_steps(self.day_steps, first=0, problem=FormulaProblem.FIRST_DAY)
        _check_steps(self.claim_steps, first=1, problem=FormulaProblem.FIRST_CLAIM)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a formula as it is typed; raise FormulaRefused."""
        parts = [part.strip() for part in text.split("|")]
        if len(parts) != 3:
            raise FormulaRefused(FormulaProblem.PARTS, text.strip()[:80])
        period, days, claims = parts
        if not _is_count(period):
            raise FormulaRefused(FormulaProblem.PERIOD, period)
        return cls(int(period), _parse_steps(days), _parse_steps(claims))

    def __str__(self) -> str:
        return f"{self.period_days}|{_write(self.day_steps)}|{_write(self.claim_steps)}"

    def multiplier(self, *, days_used: int, claims: int) -> Decimal:
        """Claims count first; without one the days do."""
        if claims:
            return _latest(self.claim_steps, claims)
        return _latest(self.day_steps, days_used)

    def days_left(self, days_used: int) -> int:
        return max(self.period_days - days_used, 0)

    def amount(self, *, price: Decimal, days_used: int, claims: int) -> Decimal:
        """Return what is given back of a price, in whole rupiah, from 0 to the price."""
        multiplier = self.multiplier(days_used=days_used, claims=claims)
        # Divided last: half a rupiah stays exactly half.
        return round_rupiah(price * self.days_left(days_used) * multiplier / self.period_days)


def _check_steps(steps: Steps, *, first: int, problem: FormulaProblem) -> None:
    if not steps or steps[0][0] != first:
        raise FormulaRefused(problem, _write(steps))
    if len(steps) > MOST_STEPS:
        raise FormulaRefused(FormulaProblem.TOO_MANY, str(len(steps)))
    numbers = [number for number, _multiplier in steps]
    if numbers != sorted(set(numbers)):
        raise FormulaRefused(FormulaProblem.ORDER, _write(steps))
    for _number, multiplier in steps:
        is_short = multiplier == round(multiplier, PLACES)
        if not ZERO <= multiplier <= 1 or not is_short:
            raise FormulaRefused(FormulaProblem.FRACTION, f"{multiplier:f}")


def _parse_steps(text: str) -> Steps:
    return tuple(_parse_step(step.strip()) for step in text.split(","))


def _parse_step(text: str) -> Step:
    number, colon, fraction = (part.strip() for part in text.partition(":"))
    if not colon or not _is_count(number):
        raise FormulaRefused(FormulaProblem.STEP, text[:40])
    return int(number), read_multiplier(fraction)


def read_multiplier(text: str) -> Decimal:
    try:
        multiplier = Decimal(text)
    except InvalidOperation:
        raise FormulaRefused(FormulaProblem.FRACTION, text[:40]) from None
    if not multiplier.is_finite() or abs(multiplier.adjusted()) > MOST_DAYS:
        raise FormulaRefused(FormulaProblem.FRACTION, text[:40])
    return multiplier


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 6


def _write(steps: Sequence[Step]) -> str:
    return ",".join(f"{number}:{multiplier.normalize():f}" for number, multiplier in steps)


def _latest(steps: Steps, reached: int) -> Decimal:
    return [multiplier for number, multiplier in steps if number <= reached][-1]
