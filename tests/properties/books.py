"""What must be true by the run's own reckoning, beside `operations/invariants.py`.

The gateway's stand-in says what came in, the run says what staff gave; the shop's rows are only
believed about what went out. What was final once must stay as it was.
"""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from accounts.models import Customer, LedgerEntry
from catalog.models import StockItem, StockState
from orders.models import Order, OrderStatus, PaymentMethod, Refund, RefundKind, VoucherUse
from payments.models import MANUAL, Case, CaseKind, Payment, PaymentStatus
from sandbox.pakasir.models import PakasirTransaction

Row = tuple[Any, ...]
Rows = dict[int, Row]

# A cancelled order may be expired by nobody, a paid one is paid for ever.
ORDER_MOVES = {
    ("pending", "paid"),
    ("pending", "expired"),
    ("pending", "cancelled"),
    ("expired", "paid"),
    ("cancelled", "paid"),
}
ENDED_ORDERS = {"expired", "cancelled"}
ENDED_PAYMENTS = {"expired", "cancelled", "failed"}
PAYMENT_MOVES = (
    {("creating", "pending"), ("creating", "completed"), ("pending", "completed")}
    | {(before, after) for before in ("creating", "pending") for after in ENDED_PAYMENTS}
    | {(before, "completed") for before in ENDED_PAYMENTS}
)
ITEM_MOVES = {
    ("available", "reserved"),
    ("available", "sold"),  # between two looks it was reserved
    ("reserved", "available"),
    ("reserved", "sold"),
    ("available", "withdrawn"),
    ("reserved", "withdrawn"),  # it was given back in between
}
USE_MOVES = {
    ("reserved", "consumed"),
    ("reserved", "released"),
    ("released", "consumed"),  # late money
}


class Books:
    def __init__(self) -> None:
        self.granted: Counter[int] = Counter()
        self.was: dict[str, Rows] = {}
        self.late: set[int] = set()
        for customer, balance in Customer.objects.values_list("pk", "account_balance"):
            self.granted[customer] = int(balance)

    def grant(self, customer: Customer, amount: int, key: str) -> None:
        """Remember what staff gave or took, if it came to be."""
        if LedgerEntry.objects.filter(idempotency_key=key).exists():
            self.granted[customer.pk] += amount

    def note_payment(self, payment: Payment) -> None:
        """Remember money that comes in for what has ended."""
        order = Order.objects.filter(pk=payment.order_id).first()
        if payment.status in ENDED_PAYMENTS and (order is None or order.status in ENDED_ORDERS):
            self.late.add(payment.pk)

    def faults(self) -> list[str]:
        """Return one line per violation, and remember what is there for the next look."""
        orders = Order.objects.values_list(
            "pk", "status", "customer", "total_bill", "payment_method"
        )
        is_now: dict[str, Rows] = {
            "order": _by_key(orders),
            "payment": _by_key(
                Payment.objects.values_list(
                    "pk", "status", "customer", "received_amount", "txn_id", "applied_at", "order"
                )
            ),
            "item": _by_key(StockItem.objects.values_list("pk", "state", "order_item")),
            "voucher use": _by_key(VoucherUse.objects.values_list("pk", "state")),
        }
        found = [*self._moves(is_now), *self._lost_to_expiry(is_now)]
        found += [*_received(is_now["payment"]), *self._balances(is_now)]
        self.was = is_now
        return found

    def _moves(self, is_now: dict[str, Rows]) -> Iterable[str]:
        allowed = {
            "order": ORDER_MOVES,
            "payment": PAYMENT_MOVES,
            "item": ITEM_MOVES,
            "voucher use": USE_MOVES,
        }
        for what, before in self.was.items():
            for key, row in before.items():
                after = is_now[what].get(key)
                if after is None:
                    yield f"{what} {key} is gone"
                elif after[0] == row[0]:
                    yield from _final(what, key, row, after)
                elif (row[0], after[0]) not in allowed[what]:
                    yield f"{what} {key} went from {row[0]} to {after[0]}"

    def _lost_to_expiry(self, is_now: dict[str, Rows]) -> Iterable[str]:
        """An order whose money had arrived never expires."""
        for payment in self.was.get("payment", {}).values():
            status, _customer, received, _txn, applied_at, order = payment
            before = self.was["order"].get(order)
            if status != PaymentStatus.COMPLETED or applied_at is not None or before is None:
                continue
            was_payable = before[0] == OrderStatus.PENDING and before[2] == received
            if was_payable and is_now["order"][order][0] in ENDED_ORDERS:
                yield f"order {order} ended though its money was there"

    def _balances(self, is_now: dict[str, Rows]) -> Iterable[str]:
        """A balance is what came in, less the goods that were bought, to the rupiah."""
        expected: Counter[int] = Counter(self.granted)
        # What a person must decide about is in nobody's balance.
        undecided = set(_cases_of(CaseKind.PAID_AFTER_MANUAL))
        for key, payment in is_now["payment"].items():
            _status, customer, received, txn_id, applied_at, _order = payment
            if applied_at is not None and txn_id is not None and key not in undecided:
                expected[customer] += int(received)
        for status, customer, bill, method in is_now["order"].values():
            if status == OrderStatus.PAID and method != PaymentMethod.MANUAL:
                expected[customer] -= int(bill)
        for customer, amount in _refunded():
            expected[customer] += int(amount)
        for customer, balance in Customer.objects.values_list("pk", "account_balance"):
            if balance != expected[customer]:
                yield f"customer {customer} has {balance}, should have {expected[customer]}"


def _by_key(rows: Iterable[Row]) -> Rows:
    return {row[0]: row[1:] for row in rows}


def _final(what: str, key: int, before: Row, after: Row) -> Iterable[str]:
    """What is sold stays with its buyer; what was received stays what it was."""
    is_final = before[0] in {StockState.SOLD, PaymentStatus.COMPLETED, OrderStatus.PAID}
    if not is_final:
        return
    fixed = [(each, later) for each, later in zip(before, after, strict=True) if each is not None]
    if any(each != later for each, later in fixed):
        yield f"{what} {key} is final, but changed from {before} to {after}"


def _received(payments: Rows) -> Iterable[str]:
    """Nothing is completed here that is not completed there, with that amount."""
    rows = PakasirTransaction.objects.filter(status=PakasirTransaction.Status.COMPLETED)
    by_hand = set(Payment.objects.filter(gateway=MANUAL).values_list("pk", flat=True))
    there = {row.txn_id: row.received for row in rows}
    for key, (status, _customer, received, txn_id, _applied, _order) in payments.items():
        is_ours = status == PaymentStatus.COMPLETED and key not in by_hand
        if is_ours and there.get(txn_id) != received:
            yield f"payment {key} received {received}, the gateway {there.get(txn_id)}"


def _refunded() -> Iterable[tuple[int, Decimal]]:
    rows = Refund.objects.filter(kind=RefundKind.BALANCE)
    return rows.values_list("order__customer", "amount")


def _cases_of(kind: CaseKind) -> Iterable[int]:
    return Case.objects.filter(kind=kind).values_list("payment", flat=True)
