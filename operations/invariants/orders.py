"""I5, I6 and I9: paid is delivered, vouchers keep their limits, nothing is held for ever."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Exists, F, Q
from django.db.models.expressions import OuterRef

from core.models import store_settings
from operations.invariants.rules import ByRules, Invariant, Rule
from operations.invariants.spans import MINUTES, SWEEP
from orders.models import Order, OrderStatus, Voucher, VoucherUse, VoucherUseState
from payments.models import Case, CaseKind, Payment


def _deliveries(now: datetime) -> Iterator[Rule]:
    delivered = Order.objects.exclude(delivered_at=None).exclude(status=OrderStatus.PAID)
    yield Rule(delivered.order_by("pk"), lambda order: f"{order} is delivered but {order.status}")
    told = Case.objects.filter(kind=CaseKind.DELIVERY_FAILED, closed_at=None, order=OuterRef("pk"))
    late = Order.objects.paid().filter(delivered_at=None, paid_at__lt=now - MINUTES, refunds=None)
    yield Rule(
        late.filter(~Exists(told)).order_by("pk"),
        lambda order: f"{order} is paid but not delivered",
    )


def _vouchers(_now: datetime) -> Iterator[Rule]:
    live = Count("uses", filter=~Q(uses__state=VoucherUseState.RELEASED))
    used = Voucher.objects.annotate(live=live).filter(live__gt=F("total_uses")).order_by("pk")
    yield Rule(
        used.values_list("code", "live", "total_uses"),
        lambda row: f"{row[0]} has {row[1]} uses of {row[2]}",
    )
    uses = VoucherUse.objects.exclude(state=VoucherUseState.RELEASED).order_by("voucher__code")
    rows = uses.values("voucher__code", "voucher__uses_per_customer", "customer")
    yield Rule(
        rows.annotate(live=Count("pk")).filter(live__gt=F("voucher__uses_per_customer")),
        lambda row: f"{row['voucher__code']} has {row['live']} uses by {row['customer']}",
    )


def _held_too_long(now: datetime) -> Iterator[Rule]:
    """Look for what rule 5 of money should have ended."""
    settings = store_settings()
    due = now - settings.expiry_grace - SWEEP
    silence = settings.gateway_silence
    # Waited for since the first question without an answer, or because it does not cancel.
    young = Q(expires_at__gte=due - silence)
    waiting = (
        Q(silent_since__gte=now - silence - SWEEP)
        | Q(young, silent_since__isnull=False)
        | Q(young, closed_remotely_at=None, last_answer_at__gte=F("expires_at"))
    )
    open_payments = Payment.objects.open()
    patient = open_payments.filter(waiting)
    arrived = Payment.objects.unapplied().filter(order=OuterRef("pk"))
    late = Order.objects.pending().filter(~Exists(arrived), expires_at__lt=due)
    late = late.filter(~Exists(patient.filter(order=OuterRef("pk"))))
    yield Rule(late.order_by("pk"), lambda order: f"{order} still holds its goods")
    deposits = open_payments.filter(order=None, expires_at__lt=due)
    deposits = deposits.filter(~Exists(patient.filter(pk=OuterRef("pk"))))
    yield Rule(deposits.order_by("pk"), lambda payment: f"deposit {payment} is still open")


DELIVERIES = Invariant(
    "I5",
    "delivered is paid; paid is delivered or an open case within minutes",
    lambda: Order.objects.paid().count(),
    ByRules(_deliveries),
)
VOUCHERS = Invariant(
    "I6",
    "vouchers are used within their limits, in all and per customer",
    VoucherUse.objects.count,
    ByRules(_vouchers),
)
HELD = Invariant(
    "I9",
    "nothing stays reserved or open past its expiry and grace",
    lambda: Order.objects.pending().count() + Payment.objects.open().filter(order=None).count(),
    ByRules(_held_too_long),
)
