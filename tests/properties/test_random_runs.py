"""Random runs: whatever is done to the shop, in whatever order, I1 to I10 hold after each step."""

import os
import secrets
import time
from collections.abc import Callable

import pytest

from tests.properties.runs import play
from tests.properties.shop import Shop
from tests.properties.summary import PROPERTY
from tests.properties.tally import Tally

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

STEPS = int(os.environ.get("RANDOM_STEPS") or 10_000)
AT_LEAST = dict.fromkeys(("paid", "late", "twice", "expired", "refunded"), STEPS // 50)
"""How often each must really have happened in a long run, counted by what came of it."""


def test_a_short_run_breaks_nothing(
    shop: Shop, record_property: Callable[[str, object], None]
) -> None:
    _play_and_report(shop, record_property, lambda: play(shop, runs=4, steps=50))
    assert shop.tally.steps >= 150
    assert all(shop.tally.outcomes[name] for name in AT_LEAST), shop.tally.table()


@pytest.mark.thorough
def test_a_long_run_breaks_nothing(
    shop: Shop, record_property: Callable[[str, object], None]
) -> None:
    """RANDOM_SEED repeats what a report is about; RANDOM_STEPS makes it shorter or longer."""
    number = int(os.environ.get("RANDOM_SEED") or secrets.randbelow(10**9))
    record_property(PROPERTY, f"RANDOM_SEED={number}")
    _play_and_report(shop, record_property, lambda: _play_on(shop, number))
    found = {name: shop.tally.outcomes[name] for name in AT_LEAST}
    assert all(found[name] >= least for name, least in AT_LEAST.items()), found


def _play_on(shop: Shop, number: int) -> None:
    """Play until the steps are done, few runs at a time: each time with the next number."""
    while shop.tally.steps < STEPS:
        play(shop, runs=20, steps=60, number=number)
        number += 1


def _play_and_report(
    shop: Shop, record_property: Callable[[str, object], None], played: Callable[[], None]
) -> None:
    began = time.monotonic()
    try:
        played()
    finally:
        record_property(PROPERTY, _report(shop.tally, time.monotonic() - began))


def _report(tally: Tally, seconds: float) -> str:
    return f"{tally.steps} steps in {tally.runs} runs, {seconds:.0f} s\n\n{tally.table()}"
