"""I3 and I10: a balance is its ledger, and no more is given back than was paid."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import F, Q, Subquery, Sum, Window
from django.db.models.expressions import OuterRef

from accounts.models import Customer, LedgerEntry, LedgerKind
from operations.invariants.rules import Invariant, Rule, by_rules
from orders.models import Order


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
    bill = Order.objects.paid().filter(invoice_id=OuterRef("reference")).values("total_bill")
    refunds = LedgerEntry.objects.filter(kind=LedgerKind.REFUND).order_by("reference")
    totals = refunds.values("reference").annotate(total=Sum("amount"), bill=Subquery(bill))
    yield Rule(
        totals.filter(Q(bill=None) | Q(total__gt=F("bill"))),
        lambda row: f"{row['reference']}: {row['total']} refunded",
    )


BALANCES = Invariant(
    "I3",
    "a balance is the sum of its ledger, and never below 0",
    LedgerEntry.objects.count,
    by_rules(_balances),
)
REFUNDS = Invariant(
    "I10",
    "refunds of an order are at most what was paid for its goods",
    lambda: LedgerEntry.objects.filter(kind=LedgerKind.REFUND).count(),
    by_rules(_refunds),
)
