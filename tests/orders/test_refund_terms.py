"""The refund formula: what it gives back, and how it is written."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.refund_terms import EXAMPLE, FormulaProblem, FormulaRefused, RefundTerms

PRICES = st.integers(min_value=0, max_value=10_000_000_000).map(Decimal)
DAYS = st.integers(min_value=0, max_value=4_000)
CLAIMS = st.integers(min_value=0, max_value=6)
FRACTIONS = st.decimals(min_value=0, max_value=1, places=4)


@st.composite
def terms(draw: st.DrawFn) -> RefundTerms:
    def steps(first: int) -> tuple[tuple[int, Decimal], ...]:
        later = draw(st.sets(st.integers(first + 1, 60), max_size=4))
        fractions = sorted((draw(FRACTIONS) for _ in range(len(later) + 1)), reverse=True)
        return tuple(zip([first, *sorted(later)], fractions, strict=True))

    return RefundTerms(draw(st.integers(1, 3650)), steps(0), steps(1))


@pytest.mark.parametrize(
    ("days", "claims", "amount"),
    [
        (0, 0, 80_000),
        (6, 0, 64_000),
        (7, 0, 53_667),  # 100.000 x 23/30 x 0,7 = 53.666,67
        (29, 0, 2_333),
        (30, 0, 0),
        (31, 0, 0),
        (4_000, 0, 0),
        (0, 1, 60_000),
        (0, 2, 60_000),
        (0, 3, 50_000),
        (0, 4, 40_000),
        (0, 9, 40_000),
        (15, 1, 30_000),
    ],
)
def test_claims_count_first_then_days(days: int, claims: int, amount: int) -> None:
    terms = RefundTerms()
    assert terms.amount(price=Decimal(100_000), days_used=days, claims=claims) == amount


def test_half_a_rupiah_is_rounded_up_though_a_third_has_no_end() -> None:
    terms = RefundTerms.parse("3|0:0.3|1:0.3")
    assert terms.amount(price=Decimal(5), days_used=2, claims=0) == 1  # exactly 0,5
    assert terms.amount(price=Decimal(4), days_used=2, claims=0) == 0


@given(terms(), PRICES, DAYS, CLAIMS)
def test_never_negative_never_more_than_the_price_always_whole(
    formula: RefundTerms, price: Decimal, days: int, claims: int
) -> None:
    amount = formula.amount(price=price, days_used=days, claims=claims)
    assert 0 <= amount <= price
    assert amount == int(amount)


@given(terms(), PRICES, DAYS, DAYS, CLAIMS)
def test_more_days_never_give_back_more(
    formula: RefundTerms, price: Decimal, one: int, other: int, claims: int
) -> None:
    early, late = [
        formula.amount(price=price, days_used=days, claims=claims) for days in sorted((one, other))
    ]
    assert late <= early


@given(terms())
def test_what_is_written_is_read_back(formula: RefundTerms) -> None:
    assert RefundTerms.parse(str(formula)) == formula


def test_the_default_is_the_example() -> None:
    assert str(RefundTerms()) == EXAMPLE
    assert RefundTerms.parse(" 30 | 0 : 0.8 , 7:0.70| 1:0.6,3:0.5,4:0.4 ") == RefundTerms()


@pytest.mark.parametrize(
    ("text", "problem", "part"),
    [
        ("", FormulaProblem.PARTS, ""),
        ("30|0:0.8", FormulaProblem.PARTS, "30|0:0.8"),
        ("30|0:0.8|1:0.6|x", FormulaProblem.PARTS, "30|0:0.8|1:0.6|x"),
        ("0|0:0.8|1:0.6", FormulaProblem.PERIOD, "0"),
        ("-1|0:0.8|1:0.6", FormulaProblem.PERIOD, "-1"),
        ("30.5|0:0.8|1:0.6", FormulaProblem.PERIOD, "30.5"),
        ("٣٠|0:0.8|1:0.6", FormulaProblem.PERIOD, "٣٠"),
        ("3651|0:0.8|1:0.6", FormulaProblem.PERIOD, "3651"),
        ("30||1:0.6", FormulaProblem.STEP, ""),
        ("30|0.8|1:0.6", FormulaProblem.STEP, "0.8"),
        ("30|0:0.8,|1:0.6", FormulaProblem.STEP, ""),
        ("30|x:0.8|1:0.6", FormulaProblem.STEP, "x:0.8"),
        ("30|0:x|1:0.6", FormulaProblem.FRACTION, "x"),
        ("30|0:|1:0.6", FormulaProblem.FRACTION, ""),
        ("30|0:1.1|1:0.6", FormulaProblem.FRACTION, "1.1"),
        ("30|0:-0.1|1:0.6", FormulaProblem.FRACTION, "-0.1"),
        ("30|0:NaN|1:0.6", FormulaProblem.FRACTION, "NaN"),
        ("30|0:Infinity|1:0.6", FormulaProblem.FRACTION, "Infinity"),
        ("30|0:1e-999999|1:0.6", FormulaProblem.FRACTION, "1e-999999"),
        ("30|0:0.80001|1:0.6", FormulaProblem.FRACTION, "0.80001"),
        ("30|1:0.8|1:0.6", FormulaProblem.FIRST_DAY, "1:0.8"),
        ("30|0:0.8|0:0.6", FormulaProblem.FIRST_CLAIM, "0:0.6"),
        ("30|0:0.8,7:0.7,7:0.6|1:0.6", FormulaProblem.ORDER, "0:0.8,7:0.7,7:0.6"),
        ("30|0:0.8,9:0.7,7:0.6|1:0.6", FormulaProblem.ORDER, "0:0.8,9:0.7,7:0.6"),
        (
            f"30|{','.join(f'{n}:0.5' for n in range(21))}|1:0.6",
            FormulaProblem.TOO_MANY,
            "21",
        ),
    ],
)
def test_a_formula_that_makes_no_sense_is_refused_by_its_piece(
    text: str, problem: FormulaProblem, part: str
) -> None:
    with pytest.raises(FormulaRefused) as refusal:
        RefundTerms.parse(text)
    assert (refusal.value.problem, refusal.value.part) == (problem, part)
