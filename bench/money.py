"""Figures of paying: how fast money becomes goods, and how fast unpaid goods are free again.

Measured over real HTTP against a `script/server` of its own: people buy in the chat, the gateway's
stand-in takes their money, and the stand-in's log says when the goods arrived there. The machine,
the stand-ins included, does everything at once: compare figures of one run, not of two machines.
The steps and seconds of the random run are printed by `script/test --thorough`.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from bench.figures import Figure, write_json
from tests.e2e.purchases import CHEAP, goods, summary
from tests.e2e.shop import Person, Shop, wait_for
from tests.faults.database import Database

PATIENCE = 180
T = TypeVar("T")
POLL_SECONDS = 30
"""An open payment is asked about this often; a lost webhook costs up to that, anywhere in it."""
SEND_METHODS = ("sendMessage", "sendDocument")


@dataclass(frozen=True)
class Buyer:
    """A person who looks at a QR code that is not paid yet."""

    person: Person
    database: Database
    order_id: int
    txn_id: str
    reference: str
    amount: int

    @property
    def shop(self) -> Shop:
        return self.person.shop

    def webhook(self) -> dict[str, Any]:
        """Return what the gateway would say; the shop asks transaction-status before it acts."""
        return {
            "txn_id": self.txn_id,
            "order_id": self.reference,
            "amount": self.amount,
            "is_sandbox": False,
            "status": "completed",
            "completed_at": None,
        }

    def wait_for_goods(self, paid_at: float) -> float:
        """Return the seconds from `paid_at` to the call that brought the goods."""
        wait_for("the goods", lambda: goods(self.person), seconds=PATIENCE)
        wait_for("the call on record", lambda: self._deliveries(paid_at))
        return self._deliveries(paid_at)[0] - paid_at

    def _deliveries(self, paid_at: float) -> list[float]:
        calls = self.shop.get(f"/sandbox/api/calls/?after=0&chat_id={self.person.id}")["calls"]
        sent = (call for call in calls if call["ok"] and call["method"] in SEND_METHODS)
        moments = (datetime.fromisoformat(call["at"]).timestamp() for call in sent)
        return [moment for moment in moments if moment >= paid_at]


def find_buyer(database: Database, name: str) -> Buyer:
    """Let a new person go from /start to the QR code."""
    person = database.shop.person(name)
    person.wait_until_answered(person.press(summary(person, CHEAP), "QRIS"), seconds=60)
    wait_for("the QR code", lambda: [m for m in person.messages() if m["photo"]], seconds=PATIENCE)
    order_id, txn_id, reference, amount = database.rows(
        "SELECT order_id, txn_id, reference, amount FROM payments_payment WHERE customer_id = %s",
        [person.id],
    )[0]
    return Buyer(person, database, order_id, txn_id, reference, int(amount))


def find_buyers(database: Database, count: int, at_once: int) -> list[Buyer]:
    with ThreadPoolExecutor(at_once) as pool:
        names = [f"Buyer {number}" for number in range(count)]
        return list(pool.map(lambda name: find_buyer(database, name), names))


def side_by_side(work: Callable[[Buyer], T], buyers: Sequence[Buyer], at_once: int) -> list[T]:
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(work, buyers))


def pay_and_tell(buyer: Buyer, secret: str) -> tuple[float, float]:
    """Pay and call the webhook as the gateway does; return when it was, and the call's time."""
    paid_at = time.time()
    buyer.shop.pay(buyer.txn_id, webhook="drop")
    began = time.perf_counter()
    answer = buyer.shop.http.post(
        "/webhooks/pakasir/", json=buyer.webhook(), headers={"X-Secret": secret}
    )
    took = time.perf_counter() - began
    assert answer.status_code == 200, answer.text  # noqa: S101 (a figure of refusals says nothing)
    return paid_at, took


def buy(buyer: Buyer, secret: str) -> tuple[float, float]:
    """Return the seconds to the answer of the webhook, and to the goods."""
    paid_at, took = pay_and_tell(buyer, secret)
    return took, buyer.wait_for_goods(paid_at)


def measure_payments(database: Database, orders: int, at_once: int) -> list[Figure]:
    code = "from django.conf import settings; print(settings.PAKASIR_WEBHOOK_SECRET)"
    secret = database.shop.manage("shell", "--no-imports", "-c", code).strip()
    buyers = find_buyers(database, orders, at_once)
    alone, crowd = buyers[: orders // 5], buyers[orders // 5 :]
    quiet = side_by_side(lambda buyer: buy(buyer, secret), alone, 1)
    busy = side_by_side(lambda buyer: buy(buyer, secret), crowd, at_once)
    return [
        Figure(name, tuple(each[part] for each in times), note)
        for times, note in ((quiet, "one after the other"), (busy, f"{at_once} at a time"))
        if times
        for part, name in enumerate(("webhook acknowledged", "paid to goods in the chat"))
    ]


def lose_webhook(buyer: Buyer) -> float:
    """Pay at some moment between two polls, and tell nobody."""
    time.sleep(random.uniform(0, POLL_SECONDS))  # noqa: S311 (no secret)
    paid_at = time.time()
    buyer.shop.pay(buyer.txn_id, webhook="drop")
    return buyer.wait_for_goods(paid_at)


def let_expire(buyer: Buyer) -> float:
    """Make the order due now; return the seconds until nothing is reserved for it any more."""
    database, order = buyer.database, {"order": buyer.order_id}
    for table, key in (("payments_payment", "order_id"), ("orders_order", "id")):
        database.rows(
            f"UPDATE {table} SET expires_at = now() WHERE {key} = %(order)s",  # noqa: S608
            order,
        )
    began = time.perf_counter()
    reserved = (
        "SELECT count(*) FROM catalog_stockitem s JOIN orders_orderitem i"
        " ON i.id = s.order_item_id WHERE i.order_id = %(order)s"
    )
    wait_for("free stock", lambda: not database.count(reserved, **order), seconds=PATIENCE)
    return time.perf_counter() - began


def grace(database: Database) -> int:
    rows = database.rows("SELECT expiry_grace_seconds FROM core_storesettings")
    return int(rows[0][0]) if rows else 15


def measure(database: Database, options: argparse.Namespace) -> list[Figure]:
    at_once, trials = options.at_once, options.trials
    figures = measure_payments(database, options.orders, at_once)
    buyers = find_buyers(database, trials, at_once)
    lost = side_by_side(lose_webhook, buyers, trials)
    figures.append(Figure("lost webhook to goods in the chat", tuple(lost), "goal: within 60 s"))
    freed = side_by_side(let_expire, find_buyers(database, trials, at_once), trials)
    note = f"{grace(database)} s of it are the grace; then the gateway is asked, told and asked"
    figures.append(Figure("expired to stock free again", tuple(freed), note))
    return figures


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="script/bench money", description=__doc__)
    parser.add_argument(
        "--orders", type=int, default=100, help="that are paid: a fifth alone, the rest in a crowd"
    )
    parser.add_argument("--at-once", type=int, default=5, help="people who act side by side")
    parser.add_argument("--trials", type=int, default=10, help="of lost webhooks, of expiries")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="quickcart-bench-") as folder:
        shop = Shop(Path(folder) / "data")
        try:
            shop.start()
            figures = measure(Database(shop), options)
        finally:
            shop.stop()
    for figure in figures:
        print(figure.line())
    print("random run                               see script/test --thorough")
    if options.json is not None:
        write_json(options.json, figures)


if __name__ == "__main__":
    main()
