"""Paid goods that do not arrive, whatever keeps them: a case, which ends when they do."""

from contextlib import suppress
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, TextField, Value
from django.db.models.functions import Cast, Concat

from core.models import WAITS_FOR_KEY, OutboxMessage, OutboxState
from core.outbox import STAFF, enqueue_message
from orders.models import Order, OrderStatus
from orders.services.fulfilment import GOODS, goods_message, mark_delivered
from payments.models import Case, CaseKind
from payments.services.cases import CaseClosed, close_case

UNDELIVERED = Q(status=OrderStatus.PAID, delivered_at=None, refunds=None)
PATIENCE = timedelta(minutes=3)
"""After so long a paid order without its goods is a matter for staff."""
ARRIVED = "The goods have arrived in the customer's chat."


def undelivered_orders(*, now: datetime, limit: int) -> list[int]:
    """Return the keys of orders to report; what was refunded before it arrived never will."""
    cases = Case.objects.filter(kind=CaseKind.DELIVERY_FAILED, order=OuterRef("pk"))
    key = Concat(Value(f"{GOODS}:"), Cast(OuterRef("pk"), TextField()), output_field=TextField())
    sent = OutboxMessage.objects.filter(dedupe_key=key, state=OutboxState.SENT)
    late = Order.objects.filter(UNDELIVERED, paid_at__lt=now - PATIENCE)
    late = late.filter(~Exists(cases) | Exists(sent))
    return list(late.order_by("paid_at").values_list("pk", flat=True)[:limit])


@transaction.atomic
def report_undelivered(*, order_id: int, now: datetime) -> bool:
    """Open the case of an order, unless its goods have arrived meanwhile; return whether.

    A message that was sent and whose end was lost, with the connection or by a crash, is an
    arrival: it is recorded now.
    """
    order = Order.objects.lock().filter(UNDELIVERED, pk=order_id).first()
    if order is None:
        return False
    sent = goods_message(order_id).filter(state=OutboxState.SENT).first()
    if sent is not None:
        record_arrival(order_id=order_id, now=sent.sent_at or now)
        return False
    open_delivery_case(order_id=order_id, now=now)
    return True


@transaction.atomic
def open_delivery_case(*, order_id: int, now: datetime) -> None:
    """Let staff hear of it, once; and of the arrival, as of any message they heard was stuck."""
    kind = CaseKind.DELIVERY_FAILED
    case, _ = Case.objects.get_or_create(
        key=f"{kind}:{order_id}",
        defaults={"kind": kind, "order_id": order_id, "opened_at": now},
    )
    goods_message(order_id).filter(alerted_at=None).update(alerted_at=now)
    enqueue_message(
        recipient=STAFF,
        kind="staff_case",
        references={"case_id": case.pk},
        dedupe_key=f"staff_case:{case.pk}",
    )


@transaction.atomic
def record_arrival(*, order_id: int, now: datetime) -> None:
    """Mark the order delivered and end the case there may be about it.

    Locks the order, then its case; who holds the message with the goods has the order first.
    """
    mark_delivered(order_id=order_id, now=now)
    cases = Case.objects.filter(kind=CaseKind.DELIVERY_FAILED, order=order_id, closed_at=None)
    for case in cases:
        with suppress(CaseClosed):  # by staff, at this moment
            close_case(
                case_id=case.pk,
                resolution=ARRIVED,
                is_personal=False,
                actor="system",
                source="delivery",
                now=now,
            )


def needs_keys(row: OutboxMessage) -> bool:
    """Return whether a message waits because no key opens its goods."""
    return OutboxMessage.objects.filter(WAITS_FOR_KEY, pk=row.pk).exists()
