"""Paid goods that do not arrive, whatever keeps them: a case, which ends when they do."""

from contextlib import suppress
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from core.encryption import DecryptionError, EncryptionError, NoUsableKey
from core.models import OutboxMessage
from core.outbox import STAFF, enqueue_message
from orders.models import Order, OrderStatus
from orders.services.fulfilment import mark_delivered
from payments.models import Case, CaseKind
from payments.services.cases import CaseClosed, close_case

GOODS = "order_delivered"
UNDELIVERED = Q(status=OrderStatus.PAID, delivered_at=None, refunds=None)
LOCKED = (EncryptionError, DecryptionError, NoUsableKey)
PATIENCE = timedelta(minutes=3)
"""After so long a paid order without its goods is a matter for staff."""
ARRIVED = "The goods have arrived in the customer's chat."


def undelivered_orders(*, now: datetime, limit: int) -> list[int]:
    """Return the keys of orders to report; what was refunded before it arrived never will."""
    cases = Case.objects.filter(kind=CaseKind.DELIVERY_FAILED, order=OuterRef("pk"))
    late = Order.objects.filter(UNDELIVERED, ~Exists(cases), paid_at__lt=now - PATIENCE)
    return list(late.order_by("paid_at").values_list("pk", flat=True)[:limit])


@transaction.atomic
def report_undelivered(*, order_id: int, now: datetime) -> bool:
    """Open the case of an order, unless its goods have arrived meanwhile; return whether."""
    order = Order.objects.lock().filter(UNDELIVERED, pk=order_id).first()
    if order is not None:
        open_delivery_case(order_id=order_id, now=now)
    return order is not None


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
    """Mark the order delivered and end the case there may be about it."""
    mark_delivered(order_id=order_id, now=now)
    cases = Case.objects.filter(kind=CaseKind.DELIVERY_FAILED, order=order_id, closed_at=None)
    for case in cases:
        with suppress(CaseClosed):  # by staff, at this moment
            close_case(
                case_id=case.pk, resolution=ARRIVED, actor="system", source="delivery", now=now
            )


def goods_message(order_id: int) -> QuerySet[OutboxMessage]:
    """Return the message with the goods of an order, if it was written."""
    return OutboxMessage.objects.filter(kind=GOODS, dedupe_key=f"{GOODS}:{order_id}")


def needs_keys(row: OutboxMessage) -> bool:
    """Return whether a message waits because no key opens its goods."""
    return row.error.partition(":")[0] in {each.__name__ for each in LOCKED}
