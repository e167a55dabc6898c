"""What every test of a fault reports: how often it was injected, and what it cost.

Process faults share one running shop; the others happen in process.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from operations.invariants import broken_invariants
from tests.bank import Bank
from tests.e2e.shop import Shop, wait_for
from tests.faults.database import Database
from tests.faults.reckoning import reckon
from tests.faults.sales import Sale
from tests.world import World

Account = Callable[..., None]
Shown = Callable[[int], None]


@pytest.fixture(scope="package")
def running_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A start costs more than most tests here."""
    shop = Shop(tmp_path_factory.mktemp("faults") / "shop")
    try:
        shop.start()
        yield shop
    finally:
        shop.stop()


@pytest.fixture
def shop(running_shop: Shop) -> Iterator[Shop]:
    """The shop, well again after what the test before did to it, and with no fault ordered."""
    running_shop.wait_until_ready()
    yield running_shop
    running_shop.wait_until_ready()
    for stand_in in ("/sandbox/api/faults/", "/sandbox/pakasir/api/faults/"):
        running_shop.http.delete(stand_in)


@pytest.fixture
def database(shop: Shop) -> Database:
    return Database(shop)


@pytest.fixture
def account_for(shop: Shop, record_property: Any) -> Account:
    """Return what ends every test: goods in the chat, sold once, the invariants clean."""

    def account(*sales: Sale, injected: int) -> None:
        for sale in sales:
            sale.wait_for_goods()
        # Everybody is back and nothing is left to do: what would be done twice is done by now.
        shop.wait_until_ready()
        wait_for("nothing left to do", lambda: not any(each.is_unfinished() for each in sales))
        tallies = [sale.tally() for sale in sales]
        for name in ("orders", "lost", "doubled"):
            record_property(name, sum(getattr(each, name) for each in tallies))
        record_property("injected", injected)
        assert injected > 0
        assert [(each.orders, each.lost, each.doubled) for each in tallies] == [
            (1, 0, 0) for _ in sales
        ]
        assert violations_of(shop) == ""

    return account


def violations_of(shop: Shop) -> str:
    """Ask the shop itself, in a process of its own, as an operator would."""
    code = (
        "from django.utils import timezone;"
        "from operations.invariants import broken_invariants;"
        "print(*broken_invariants(timezone.now()), sep='\\n')"
    )
    return shop.manage("shell", "--no-imports", "--verbosity=0", "-c", code).strip()


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
