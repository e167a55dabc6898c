"""I3 and I10: a balance is its ledger, and no more is given back than was paid."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Exists, F, Max, Q, Sum, TextField, Value, Window
from django.db.models.expressions import OuterRef
from django.db.models.functions import Concat

from accounts.models import Customer, LedgerEntry, LedgerKind
from operations.invariants.rules import ByRules, Invariant, Rule
from orders.models import OrderStatus, Refund, RefundKind


def _balances(_now: datetime) -> Iterator[Rule]:
    customers = Customer.objects.annotate(total=Sum("ledger__amount", default=0)).order_by("pk")
    wrong = customers.exclude(account_balance=F("total"), account_balance__gte=0)
    yield Rule(
        wrong.values_list("pk", "account_balance", "total"),
        lambda row: f"customer {row[0]} has {row[1]}, the ledger {row[2]}",
    )
    running = Window(Sum("amount"), partition_by="customer", order_by="id")
    entries = LedgerEntry.objects.annotate(off=running - F("balance_after")).order_by("pk")
    yield Rule(
        entries.filter(Q(off__lt=0) | Q(off__gt=0)).values_list("pk", "balance_after", "off"),
        lambda row: f"ledger entry {row[0]}: {row[1]}, not {row[1] + row[2]}",
    )


def _refunds(_now: datetime) -> Iterator[Rule]:
    """What an order gave back was paid for its goods, and each credit has its refund."""
    given = Refund.objects.order_by("order__invoice_id").values("order__invoice_id")
    totals = given.annotate(
        total=Sum("amount"),
        paid=Max(F("order__subtotal") - F("order__voucher_discount")),
    )
    yield Rule(
        totals.filter(~Q(order__status=OrderStatus.PAID) | Q(total__gt=F("paid"))),
        lambda row: f"{row['order__invoice_id']}: {row['total']} refunded",
    )
    key = Concat(Value("refund:"), F("quote_key"), output_field=TextField())
    entries = LedgerEntry.objects.filter(kind=LedgerKind.REFUND)
    refunds = Refund.objects.filter(kind=RefundKind.BALANCE).annotate(key=key)
    entry = entries.filter(
        idempotency_key=OuterRef("key"),
        customer=OuterRef("order__customer"),
        amount=OuterRef("amount"),
    )
    yield Rule(
        refunds.filter(~Exists(entry)).order_by("pk"),
        lambda refund: f"{refund} is credited otherwise than recorded",
    )
    yield Rule(
        entries.filter(~Exists(refunds.filter(key=OuterRef("idempotency_key")))).order_by("pk"),
        lambda row: f"ledger entry {row.idempotency_key} has no refund",
    )


BALANCES = Invariant(
    "I3",
    "a balance is the sum of its ledger, and never below 0",
    LedgerEntry.objects.count,
    ByRules(_balances),
)
REFUNDS = Invariant(
    "I10",
    "refunds of an order are at most what was paid for its goods",
    Refund.objects.count,
    ByRules(_refunds),
)
