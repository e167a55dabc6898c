"""Random runs: whatever is done to the shop, in whatever order, I1 to I10 hold after each step."""

import time

import pytest

from tests.properties.runs import play
from tests.properties.shop import Shop

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def test_a_short_random_run(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.monotonic()
    play(shop, runs=5, steps=50)
    with capsys.disabled():
        print(shop.tally.table(), shop.tally.steps, time.monotonic() - started)
    assert shop.tally.runs == 5
