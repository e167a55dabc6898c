"""I7: only allowed transitions ever happened.

The database refuses the others while they are tried; here it is seen that it still does, and that
what the rows show of their past agrees: times in order, states that fit each other.
"""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import F, Q, QuerySet

from catalog.models import StockItem
from operations.invariants.guards import TRANSITIONS, missing_triggers
from operations.invariants.rules import ByRules, Invariant, Rule, Violations
from orders.models import Order, OrderStatus, VoucherUse
from payments.models import Payment, PaymentStatus

USE_FITS = (
    Q(state="reserved", order__status=OrderStatus.PENDING)
    | Q(state="consumed", order__status=OrderStatus.PAID)
    | Q(state="released", order__status__in=[OrderStatus.EXPIRED, OrderStatus.CANCELLED])
)


def _find(now: datetime) -> Violations:
    found, more = ByRules(past)(now)
    return [*(line for guard in TRANSITIONS for line in missing_triggers(guard)), *found], more


def past(_now: datetime) -> Iterator[Rule]:
    orders, payments = Order.objects.all(), Payment.objects.all()
    early = orders.filter(status=OrderStatus.EXPIRED, ended_at__lt=F("expires_at"))
    yield _named("expired early", early)
    yield _named("ended before placed", orders.filter(ended_at__lt=F("placed_at")))
    yield _named("paid before placed", orders.filter(paid_at__lt=F("placed_at")))
    yield _named("delivered before paid", orders.filter(delivered_at__lt=F("paid_at")))
    yield _named("ended before made", payments.filter(ended_at__lt=F("created_at")))
    yield _named("completed before made", payments.filter(completed_at__lt=F("created_at")))
    unapplied = payments.exclude(status=PaymentStatus.COMPLETED).exclude(applied_at=None)
    yield _named("took effect before it came", unapplied)
    open_payments = Payment.objects.open().exclude(order=None)
    ended = open_payments.exclude(order__status=OrderStatus.PENDING)
    yield _named("open for an ended order", ended)
    uses = VoucherUse.objects.exclude(USE_FITS).order_by("pk")
    yield Rule(
        uses.values_list("pk", "state", "order__status"),
        lambda row: f"voucher use {row[0]} is {row[1]}, its order {row[2]}",
    )


def _named(what: str, rows: QuerySet[Order] | QuerySet[Payment]) -> Rule:
    return Rule(rows.order_by("pk"), lambda row: f"{row} {what}")


HISTORY = Invariant(
    "I7",
    "orders, payments, stock and vouchers changed only as they may",
    lambda: sum(model.objects.count() for model in (Order, Payment, StockItem, VoucherUse)),
    _find,
)
