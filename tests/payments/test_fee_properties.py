"""The estimate of Pakasir's QRIS fee against published samples, and for any amount."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.gateways.pakasir import MAXIMUM, MINIMUM, FeeSchedule
from sandbox.pakasir.fees import qris_fee

AMOUNT = st.integers(int(MINIMUM), int(MAXIMUM)).map(Decimal)
FEES = FeeSchedule()


@pytest.mark.parametrize(
    ("amount", "fee"),
    [
        (500, 314),
        (6_000, 352),
        (7_805, 365),
        (12_000, 394),
        (99_000, 1_003),
        (105_000, 1_045),
        (105_001, 1_051),
        (10_000_000, 100_000),
    ],
)
def test_the_fee_of_a_known_sample(amount: int, fee: int) -> None:
    assert FEES.fee(Decimal(amount)) == fee


@given(AMOUNT)
def test_a_fee_is_whole_positive_and_rounded_up_by_less_than_a_rupiah(amount: Decimal) -> None:
    fee = FEES.fee(amount)
    is_small = amount <= 105_000
    exact = amount * Decimal("0.007") + 310 if is_small else amount / 100
    assert fee > 0
    assert 0 <= fee - exact < 1


@given(AMOUNT)
def test_the_stand_in_asks_what_the_shop_expects(amount: Decimal) -> None:
    assert qris_fee(int(amount)) == FEES.fee(amount)


@given(AMOUNT, AMOUNT)
def test_who_pays_more_pays_no_smaller_fee(one: Decimal, other: Decimal) -> None:
    less, more = sorted((one, other))
    assert FEES.fee(less) <= FEES.fee(more)
