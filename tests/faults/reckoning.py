"""What became of the money and the goods, by the stand-in's books and by ours."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count

from accounts.models import LedgerEntry
from orders.models import Order, OrderItem, OrderStatus
from payments.models import Case, Payment, PaymentStatus
from tests.bank import Bank


@dataclass(frozen=True)
class Reckoning:
    orders: int
    lost: int
    """Paid there, and here neither goods sold to it, nor money credited, nor a case."""
    doubled: int
    """Money that had two effects, orders that were paid twice, goods in excess of an order's."""


def reckon(bank: Bank) -> Reckoning:
    effects = {txn_id: _effects_of(txn_id) for txn_id in _paid_there(bank)}
    paying = Counter(
        order_id for found in effects.values() for order_id in found if order_id is not None
    )
    return Reckoning(
        orders=Order.objects.count(),
        lost=sum(not found for found in effects.values()),
        doubled=sum(len(found) > 1 for found in effects.values())
        + sum(count > 1 for count in paying.values())
        + _items_in_excess(),
    )


def _paid_there(bank: Bank) -> Iterator[str]:
    return (each["txn_id"] for each in bank.transactions() if each["status"] == "completed")


def _effects_of(txn_id: str) -> list[int | None]:
    """Return the effects of a transaction's money: the order it pays, None for any other."""
    unmatched = Case.objects.filter(event__txn_id=txn_id, payment=None)
    payment = Payment.objects.filter(txn_id=txn_id, status=PaymentStatus.COMPLETED).first()
    if payment is None:
        return [None for _ in unmatched]
    credits_of_it = LedgerEntry.objects.filter(
        idempotency_key__startswith=f"payment:{payment.pk}:", amount__gt=0
    )
    effects: list[int | None] = [None for _ in credits_of_it]
    pays = payment.order_id and not effects and payment.applied_at is not None
    if pays and Order.objects.filter(pk=payment.order_id, status=OrderStatus.PAID).exists():
        effects.append(payment.order_id)
    if not effects and payment.cases.exists():
        effects.append(None)
    return effects


def _items_in_excess() -> int:
    items = OrderItem.objects.annotate(held=Count("stock_items")).values_list("quantity", "held")
    return sum(max(held - quantity, 0) for quantity, held in items)
