from datetime import UTC, datetime

import pytest

from core.ids import new_invoice_id, parse_short_stock_id, short_stock_id


def test_an_invoice_carries_the_date_of_the_store_not_of_utc() -> None:
    late_evening_utc = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)  # 03:00 the next day in Jakarta
    assert new_invoice_id(late_evening_utc).startswith("TRX261122")


def test_invoices_cannot_be_guessed() -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    made = {new_invoice_id(now) for _ in range(1_000)}
    assert len(made) == 1_000
    assert {len(invoice) for invoice in made} == {19}


@pytest.mark.parametrize("pk", [1, 31, 32, 1_048_576, 2**40])
def test_a_short_id_leads_back_to_its_item(pk: int) -> None:
    assert parse_short_stock_id(short_stock_id(pk).lower()) == pk


@pytest.mark.parametrize("text", ["", "STCK", "5XYZ", "STCKIL0U", "STCK" + "Z" * 13])
def test_what_is_no_short_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (the message is the text itself)
        parse_short_stock_id(text)
