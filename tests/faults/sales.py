"""Sales that a fault hits: begun in the chat, counted afterwards in the database."""

from dataclasses import dataclass, replace
from typing import Any

from tests.e2e.purchases import CHEAP, buy_by_qris, confirm_balance, goods
from tests.e2e.shop import Person, Shop, wait_for
from tests.faults.database import Database

RICH = 800_000_001
"""A customer of the demo store who has a balance."""
PATIENCE = 90
TALLY = """
WITH mine AS (SELECT * FROM orders_order WHERE customer_id = %(customer)s AND id > %(after)s),
ways AS (
    SELECT id FROM payments_payment
    WHERE status = 'completed' AND order_id IN (SELECT id FROM mine)
    UNION ALL
    SELECT id FROM accounts_ledgerentry
    WHERE idempotency_key IN (SELECT 'order:' || id || ':purchase' FROM mine)
),
units AS (
    SELECT i.quantity, (
        SELECT count(*) FROM catalog_stockitem s WHERE s.order_item_id = i.id AND s.state = 'sold'
    ) AS sold
    FROM orders_orderitem i JOIN mine ON mine.id = i.order_id
    JOIN catalog_product p ON p.id = i.product_id
    WHERE p.kind = 'unique' AND mine.status = 'paid'
)
SELECT
    (SELECT count(*) FROM mine),
    (SELECT count(*) FROM mine WHERE status = 'paid' AND delivered_at IS NOT NULL),
    (SELECT count(*) FROM ways),
    (SELECT coalesce(sum(quantity - sold), 0)::int FROM units WHERE sold < quantity),
    (SELECT coalesce(sum(sold - quantity), 0)::int FROM units WHERE sold > quantity),
    (
        SELECT count(*) FROM sandbox_pakasirtransaction t
        LEFT JOIN payments_payment p USING (txn_id)
        WHERE t.txn_id = %(txn_id)s AND t.status = 'completed' AND p.applied_at IS NULL
    )
"""
"""Orders, those delivered, ways they were paid, items missing and too many, money without effect.

The last is the stand-in's word against the shop's: both keep their tables in one database.
"""


UNFINISHED = """
SELECT (SELECT count(*) FROM core_outboxmessage WHERE recipient = %(customer)s
    AND state = 'pending')
  + (SELECT count(*) FROM payments_gatewayevent WHERE txn_id = %(txn_id)s AND handled_at IS NULL)
"""


@dataclass(frozen=True)
class Tally:
    """Orders, and what a fault did to them."""

    orders: int
    lost: int
    doubled: int


@dataclass(frozen=True)
class Sale:
    """One purchase of a person, whatever orders and messages there were before it."""

    database: Database
    person: Person
    after: int
    copies_before: int
    txn_id: str = ""

    @property
    def order_id(self) -> int:
        return self.database.count(
            "SELECT max(id) FROM orders_order WHERE customer_id = %(customer)s AND id > %(after)s",
            **self._names(),
        )

    @property
    def status(self) -> str:
        rows = self.database.rows("SELECT status FROM orders_order WHERE id = %s", [self.order_id])
        return str(rows[0][0])

    def message(self) -> tuple[str, int]:
        """Return state and attempts of the message that brings the goods."""
        state, attempts = self.database.rows(
            "SELECT state, attempts FROM core_outboxmessage WHERE dedupe_key = %s",
            [f"order_delivered:{self.order_id}"],
        )[0]
        return state, attempts

    def copies(self) -> int:
        """Return how many messages brought the goods to the chat."""
        return len(goods(self.person)) - self.copies_before

    def wait_for_goods(self) -> None:
        """Wait until the goods are in the chat, and until the shop knows it."""
        wait_for("the goods in the chat", lambda: self.copies() > 0, seconds=PATIENCE)
        wait_for("delivered_at", self._is_known_to_be_delivered, seconds=PATIENCE)

    def is_unfinished(self) -> bool:
        return bool(self.database.count(UNFINISHED, **self._names()))

    def tally(self) -> Tally:
        """Lost: not delivered, or goods or money missing. Doubled: an order, a payment, goods."""
        orders, delivered, ways, missing, too_many, unused = self.database.rows(
            TALLY, self._names()
        )[0]
        return Tally(
            orders=orders,
            lost=max(1 - delivered, 0) + max(1 - ways, 0) + missing + unused,
            doubled=max(orders - 1, 0) + max(ways - 1, 0) + too_many,
        )

    def _is_known_to_be_delivered(self) -> bool:
        return bool(self.database.rows(TALLY, self._names())[0][1])

    def _names(self) -> dict[str, Any]:
        return {"customer": self.person.id, "after": self.after, "txn_id": self.txn_id}


def begin_sale(database: Database, person: Person) -> Sale:
    """Remember what this person has bought so far."""
    after = database.count(
        "SELECT coalesce(max(id), 0) FROM orders_order WHERE customer_id = %(customer)s",
        customer=person.id,
    )
    return Sale(database, person, after, len(goods(person)))


def sell_by_qris(shop: Shop, database: Database, name: str) -> Sale:
    """Let a new customer go on to the QR code, which is not paid yet."""
    person = shop.person(name)
    sale = begin_sale(database, person)
    return replace(sale, txn_id=buy_by_qris(person))


def ask_for_balance(shop: Shop, database: Database) -> tuple[Sale, dict[str, Any]]:
    """Let the rich customer go on to the message whose [Ya] buys from the balance."""
    person = Person(shop, RICH)
    return begin_sale(database, person), confirm_balance(person, CHEAP)
