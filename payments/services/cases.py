"""Staff say of a case what was done about it."""

from datetime import datetime

from django.db import transaction

from audit.services import conceal, record_audit
from core.errors import DomainError
from core.models import OutboxState
from orders.models import Order, OrderStatus
from orders.services.fulfilment import goods_message, mark_delivered
from payments.models import Case, CaseKind

MOST_NOTE = 2000
"""Most characters of what was done."""


class CaseClosed(DomainError):
    """Somebody said before what was done about it."""

    code = "case_closed"

    def __init__(self, *, closed_at: datetime, resolution: str) -> None:
        super().__init__(closed_at.isoformat())
        self.closed_at = closed_at
        self.resolution = resolution


class NoteRefused(DomainError):
    """A case is closed with a note, and with no novel."""

    code = "note_refused"


class GoodsMissing(DomainError):
    """The customer paid and has neither the goods nor the money: nothing is dealt with yet."""

    code = "goods_missing"


def is_without_goods(case: Case) -> bool:
    """Return whether a case is about goods that its customer has not, nor their money back."""
    order = case.order
    return (
        case.kind == CaseKind.DELIVERY_FAILED
        and order is not None
        and order.status == OrderStatus.PAID
        and order.delivered_at is None
        and not order.refunds.exists()
    )


@transaction.atomic
def close_case(
    *,
    case_id: int,
    resolution: str,
    actor: str,
    source: str,
    now: datetime,
    handed_over: bool = False,
    is_personal: bool = True,
) -> Case:
    """Close a case with a note of what was done, once.

    `handed_over`: staff gave the customer the goods in another way, which delivers the order.
    `is_personal`: the note may name somebody; the trail then keeps it under that person's key.
    Raises NoteRefused for an empty or too long note, CaseClosed when it is closed already, and
    GoodsMissing while the customer has neither goods nor refund; then nothing changed.
    """
    note = resolution.strip()
    if not 0 < len(note) <= MOST_NOTE:
        raise NoteRefused
    if handed_over:
        # Before the case is locked: order first, then case, as whoever delivers.
        _hand_over(case_id, actor, source, now)
    case = Case.objects.select_for_update(no_key=True).get(pk=case_id)
    if case.closed_at is not None:
        raise CaseClosed(closed_at=case.closed_at, resolution=case.resolution)
    if is_without_goods(case):
        raise GoodsMissing
    before = {"closed_at": None, "resolution": case.resolution}
    after = {"closed_at": now.isoformat(), "resolution": note}
    names = {"resolution"} if is_personal else set()
    case.closed_at = now
    case.resolution = note
    case.save(update_fields=["closed_at", "resolution"])
    record_audit(
        actor=actor,
        action="close_case",
        target=f"case:{case_id}",
        source=source,
        now=now,
        changes=conceal((before, after), owner=_about(case), names=names),
    )
    return case


def _hand_over(case_id: int, actor: str, source: str, now: datetime) -> None:
    """Lock the order of a case, and if its goods are missing, say that they were handed over.

    Their message is of no use any more: they would come a second time.
    """
    order = Order.objects.lock().filter(cases=case_id).first()
    if order is None or not is_without_goods(Case.objects.get(pk=case_id)):
        return
    mark_delivered(order_id=order.pk, now=now)
    unsent = goods_message(order.pk).exclude(state=OutboxState.SENT)
    unsent.update(state=OutboxState.DROPPED, leased_until=None)
    record_audit(
        actor=actor,
        action="hand_over_goods",
        target=f"order:{order.pk}",
        source=source,
        now=now,
        changes=({"delivered_at": None}, {"delivered_at": now.isoformat()}),
    )


def _about(case: Case) -> str:
    """Return whose key the note is kept under: it may name the customer of the case."""
    belongs = case.order or case.payment
    return f"case:{case.pk}" if belongs is None else f"customer:{belongs.customer_id}"
