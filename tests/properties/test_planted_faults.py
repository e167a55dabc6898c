"""A machine that cannot fail proves nothing: planted faults are found within a short run."""

import pytest

from tests.properties.faults import FAULTS, Plant
from tests.properties.machine import Broken
from tests.properties.runs import play
from tests.properties.shop import Shop

pytestmark = [
    pytest.mark.django_db(databases=["default", "audit"]),
    pytest.mark.thorough,  # minutes in all: each plays until the fault shows
]


@pytest.mark.parametrize("plant", FAULTS.values(), ids=FAULTS.keys())
def test_the_machine_finds(plant: Plant, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(Broken):
        play(shop, runs=8, steps=50)
