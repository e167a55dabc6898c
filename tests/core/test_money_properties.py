"""Rupiah: what is rounded, written and read back, for any amount."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.money import MOST, parse_rupiah, percent_of, round_rupiah, rupiah

WHOLE = st.integers(0, int(MOST)).map(Decimal)
EXACT = st.decimals(0, MOST, places=4)
PERCENT = st.decimals(0, 100, places=2)


@given(WHOLE)
def test_what_is_written_is_read_back(amount: Decimal) -> None:
    assert parse_rupiah(rupiah(amount)) == amount
    assert parse_rupiah(f"{amount:,}") == amount
    assert parse_rupiah(f" {amount} ") == amount


@given(st.text(max_size=20))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        amount = parse_rupiah(text)
    except ValueError:
        return
    assert 0 <= amount <= MOST
    assert amount == round_rupiah(amount)


@given(EXACT)
def test_rounding_moves_by_half_a_rupiah_at_most(amount: Decimal) -> None:
    rounded = round_rupiah(amount)
    assert rounded == rounded.to_integral_value()
    assert Decimal("-0.5") < rounded - amount <= Decimal("0.5")
    assert round_rupiah(rounded) == rounded


@given(WHOLE, PERCENT)
def test_a_part_and_the_rest_are_the_whole_and_neither_is_negative(
    amount: Decimal, percent: Decimal
) -> None:
    part = percent_of(amount, percent)
    assert 0 <= part <= amount
    assert abs(part - amount * percent / 100) <= Decimal("0.5")
    assert percent_of(amount, Decimal(100)) == amount
