"""What every test of a fault reports: how often it was injected, and what it cost."""

from collections.abc import Callable
from typing import Any

import pytest

from operations.invariants import broken_invariants
from tests.bank import Bank
from tests.faults.reckoning import reckon
from tests.world import World

Shown = Callable[[int], None]


@pytest.fixture
def shown(world: World, bank: Bank, record_property: Callable[[str, Any], None]) -> Shown:
    """Say how often the fault happened; check that nothing was lost, doubled or broken by it."""

    def show(injected: int) -> None:
        found = reckon(bank)
        record_property("injected", injected)
        record_property("orders", found.orders)
        record_property("lost", found.lost)
        record_property("doubled", found.doubled)
        assert injected > 0, "the fault never happened"
        assert (found.lost, found.doubled) == (0, 0)
        assert broken_invariants(world.now) == []

    return show
