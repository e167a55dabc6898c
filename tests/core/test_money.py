from decimal import Decimal

import pytest

from core.money import parse_rupiah, percent_of, round_rupiah, rupiah


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "Rp0"),
        (500, "Rp500"),
        (50_000, "Rp50.000"),
        (10_000_000, "Rp10.000.000"),
        (-1_500, "-Rp1.500"),
    ],
)
def test_rupiah_is_written_as_in_indonesia(amount: int, text: str) -> None:
    assert rupiah(amount) == text


@pytest.mark.parametrize(
    "text", ["50000", "50.000", "50,000", "Rp50.000", "rp 50.000", "Rp. 50.000", "Rp50.000,00"]
)
def test_every_usual_spelling_is_read(text: str) -> None:
    assert parse_rupiah(text) == Decimal(50_000)


@pytest.mark.parametrize("text", ["abc", "5.00.0", "-500", "1e5", "50.000.00", "9" * 14])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (the message is the text itself)
        parse_rupiah(text)


def test_an_empty_text_is_no_amount() -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (the message is the text itself)
        parse_rupiah("")


def test_half_a_rupiah_rounds_up() -> None:
    assert round_rupiah(Decimal("0.5")) == Decimal(1)
    assert round_rupiah(Decimal("1.5")) == Decimal(2)
    assert percent_of(Decimal(33_333), Decimal("12.5")) == Decimal(4_167)
