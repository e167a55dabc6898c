"""I4: money that came has one effect, and goods are paid once, by what their order says."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Exists, F, Q, QuerySet, Subquery, TextField, Value
from django.db.models.expressions import Combinable, OuterRef, RawSQL
from django.db.models.functions import Cast, Coalesce, Concat

from accounts.models import LedgerEntry, LedgerKind
from core.money import ZERO, MoneyField
from operations.invariants.rules import ByRules, Invariant, Rule
from operations.invariants.spans import MINUTES
from orders.models import Order
from payments.models import (
    MANUAL,
    Case,
    CaseKind,
    Payment,
    PaymentPurpose,
    PaymentQuerySet,
    PaymentStatus,
)

# Written out: as subqueries of each order these joins would be made again for every one of them.
PAID_OTHERWISE = """
WITH used AS (
    SELECT payment.order_id, count(*) FILTER (WHERE payment.gateway <> 'manual') AS by_gateway,
        count(*) FILTER (WHERE payment.gateway = 'manual') AS by_hand
    FROM payments_payment payment
    WHERE payment.status = 'completed' AND payment.applied_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM accounts_ledgerentry entry
            WHERE entry.idempotency_key = 'payment:' || payment.id || ':credit')
        AND NOT EXISTS (SELECT FROM payments_case about
            WHERE about.payment_id = payment.id AND about.kind <> 'delivery_failed')
    GROUP BY payment.order_id
)
SELECT placed.id FROM orders_order placed
LEFT JOIN used ON used.order_id = placed.id
LEFT JOIN accounts_ledgerentry debit
    ON debit.idempotency_key = 'order:' || placed.id || ':purchase'
WHERE placed.status = 'paid'
    AND (coalesce(by_gateway, 0), coalesce(by_hand, 0), coalesce(debit.amount, 0))
        IS DISTINCT FROM CASE placed.payment_method
            WHEN 'qris' THEN (1::bigint, 0::bigint, 0::numeric)
            WHEN 'manual' THEN (0::bigint, 1::bigint, 0::numeric)
            WHEN 'balance' THEN (0::bigint, 0::bigint, -placed.total_bill)
            WHEN 'free' THEN (
                0::bigint, 0::bigint, CASE placed.total_bill WHEN 0 THEN 0::numeric END)
        END
"""
"""Keys of orders that are not paid by what they say; what is free costs nothing."""


def _completions(now: datetime) -> Iterator[Rule]:
    unapplied = Payment.objects.unapplied().filter(completed_at__lt=now - MINUTES)
    yield Rule(
        unapplied.order_by("pk").values_list("reference", flat=True),
        lambda name: f"payment {name} came and had no effect",
    )
    idle = _uncredited().exclude(order__status="paid").filter(~Exists(_cases("payment")))
    yield Rule(
        idle.order_by("pk").values_list("reference", flat=True),
        lambda name: f"payment {name} is neither used nor credited nor a case",
    )
    yield from _credits()
    yield from _ways_of_paying()


def _credits() -> Iterator[Rule]:
    due = Q(
        amount=OuterRef("received_amount"),
        customer=OuterRef("customer"),
        reference=OuterRef("reference"),
    )
    deposit = Q(purpose=PaymentPurpose.DEPOSIT) & ~Exists(
        _credit().filter(due, kind=LedgerKind.DEPOSIT)
    )
    order = Q(purpose=PaymentPurpose.ORDER) & ~Exists(
        _credit().filter(due, kind=LedgerKind.PAYMENT_CREDIT)
    )
    credited = Payment.objects.filter(Exists(_credit()), status=PaymentStatus.COMPLETED)
    yield Rule(
        credited.filter(deposit | order).order_by("pk").values_list("reference", flat=True),
        lambda name: f"payment {name} is credited otherwise than received",
    )
    left_to_staff = credited.filter(cases__kind=CaseKind.PAID_AFTER_MANUAL)
    yield Rule(
        left_to_staff.order_by("pk").values_list("reference", flat=True),
        lambda name: f"payment {name} is credited and left to staff",
    )
    key = _key("payment:", F("pk"), ":credit")
    came = Payment.objects.filter(status=PaymentStatus.COMPLETED).alias(key=key)
    entries = LedgerEntry.objects.filter(idempotency_key__startswith="payment:")
    yield Rule(
        entries.filter(~Exists(came.filter(key=OuterRef("idempotency_key")))).order_by("pk"),
        lambda entry: f"ledger entry {entry.pk} credits a payment that did not come",
    )


def _ways_of_paying() -> Iterator[Rule]:
    used = _uncredited().filter(~Exists(_cases("payment")), order=OuterRef("pk"))
    debit = LedgerEntry.objects.filter(idempotency_key=_key("order:", OuterRef("pk"), ":purchase"))
    orders = Order.objects.filter(pk__in=RawSQL(PAID_OTHERWISE, [])).annotate(  # noqa: S611
        by_gateway=_number(used.exclude(gateway=MANUAL)),
        by_hand=_number(used.filter(gateway=MANUAL)),
        debit=Coalesce(Subquery(debit.values("amount")), ZERO, output_field=MoneyField()),
    )
    yield Rule(
        orders.order_by("pk"),
        lambda order: (
            f"{order} by {order.payment_method}: {order.by_gateway} payments,"
            f" {order.by_hand} by hand, {order.debit}"
        ),
    )
    key = _key("order:", F("pk"), ":purchase")
    bought = Order.objects.paid().alias(key=key).filter(key=OuterRef("idempotency_key"))
    debits = LedgerEntry.objects.filter(kind=LedgerKind.PURCHASE)
    yield Rule(
        debits.filter(~Exists(bought)).order_by("pk"),
        lambda entry: f"ledger entry {entry.pk} pays for an order that is not paid",
    )


def _uncredited() -> PaymentQuerySet:
    """Payments whose money took another effect than the balance, or none."""
    applied = Payment.objects.filter(status=PaymentStatus.COMPLETED, applied_at__isnull=False)
    return applied.filter(~Exists(_credit()))


def _credit() -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(idempotency_key=_key("payment:", OuterRef("pk"), ":credit"))


def _cases(about: str) -> QuerySet[Case]:
    """Cases about the money of the outer payment or order: one about its goods explains none."""
    return Case.objects.exclude(kind=CaseKind.DELIVERY_FAILED).filter(**{about: OuterRef("pk")})


def _key(prefix: str, key: Combinable, suffix: str) -> Concat:
    text = Cast(key, TextField())
    return Concat(Value(prefix), text, Value(suffix), output_field=TextField())


def _number(payments: PaymentQuerySet) -> Coalesce:
    rows = payments.order_by().values("order").annotate(number=Count("pk"))
    return Coalesce(Subquery(rows.values("number")), 0)


COMPLETIONS = Invariant(
    "I4",
    "money that came paid one order, or was credited once, or is a case",
    lambda: (
        Payment.objects.filter(status=PaymentStatus.COMPLETED).count()
        + Order.objects.paid().count()
    ),
    ByRules(_completions),
)
