"""Where a process is made to wait, so that a fault hits it there and nowhere else."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.e2e.shop import Shop, wait_for
from tests.faults.database import Hold
from tests.faults.sales import Sale

LONG_MS = 20_000
"""Longer than anybody here is left waiting: who hangs is killed or cut off before."""


@dataclass(frozen=True)
class OrderedFault:
    """A fault of a stand-in, which counts how often it struck."""

    shop: Shop
    path: str
    number: int

    def times_used(self) -> int:
        faults = self.shop.get(self.path)["faults"]
        return next(int(fault["used"]) for fault in faults if fault["id"] == self.number)

    def is_used(self) -> bool:
        return self.times_used() > 0


def order_fault(shop: Shop, path: str, **fault: Any) -> OrderedFault:
    return OrderedFault(shop, path, int(shop.post(path, fault)["id"]))


def hang_sending(sale: Sale, *, method: str = "sendMessage", after_effect: bool) -> OrderedFault:
    """Let the next such call of the bot for this chat hang, before or after its effect."""
    return order_fault(
        sale.person.shop,
        "/sandbox/api/faults/",
        method=method,
        chat_id=sale.person.id,
        error_code=502,
        after_effect=after_effect,
        delay_ms=LONG_MS,
    )


def slow_status(shop: Shop, delay_ms: int = 1500) -> OrderedFault:
    """Let the gateway think about the next question for a while."""
    path = "/sandbox/pakasir/api/faults/"
    return order_fault(shop, path, call="status", kind="slow", delay_ms=delay_ms)


def hold_goods(sale: Sale) -> AbstractContextManager[Hold]:
    """Hold what is reserved: who sells it has written the order and not committed."""
    return sale.database.holding(
        "SELECT 1 FROM catalog_stockitem s JOIN orders_orderitem i ON i.id = s.order_item_id"
        " WHERE i.order_id = %s FOR NO KEY UPDATE OF s",
        [sale.order_id],
    )


def hold_event(sale: Sale) -> AbstractContextManager[Hold]:
    """Hold the webhook's event: its worker comes to it right after the sale is committed."""
    query = "SELECT 1 FROM payments_gatewayevent WHERE txn_id = %s FOR NO KEY UPDATE"
    wait_for("the event is stored", lambda: sale.database.rows(query, [sale.txn_id]))
    return sale.database.holding(query, [sale.txn_id])


@contextmanager
def paid_and_unsent(sale: Sale) -> Iterator[None]:
    """Pay: inside, the sale is committed, its message lies there, and nobody sends it yet.

    The gateway is slow, so that the worker is still about its event when that is held.
    """
    shop = sale.person.shop
    with shop.suspended("scheduler"):
        slow_status(shop)
        shop.pay(sale.txn_id)
        with hold_event(sale) as hold:
            hold.wait_for_waiter()
            assert (sale.status, *sale.message()) == ("paid", "pending", 0)
            yield
