"""Turns a quote into a refund: to the balance, or recorded as paid outside the shop."""

from datetime import datetime

from django.db import transaction

from accounts.models import Customer, LedgerKind
from accounts.services.balance import post_entry
from audit.services import record_audit
from core.money import ZERO
from core.outbox import STAFF, enqueue_message
from orders.errors import OrderNotFound, RefundChanged, RefundRefusal, RefundRefused
from orders.models import Order, OrderItem, Refund, RefundKind
from orders.services.fulfilment import goods_message
from orders.services.refund_quotes import RefundQuote, RefundRequest, quote_refund

MOST_NOTE = 500
"""Most characters of a note."""
CUSTOMER_HEARS = {RefundKind.BALANCE: "refund_credited", RefundKind.OUTSIDE: "refund_paid"}


@transaction.atomic
def refund_to_balance(
    *, request: RefundRequest, actor: str, source: str, now: datetime, note: str = ""
) -> Refund:
    """Put what a quote showed on the buyer's balance, once; confirming it again finds the refund.

    Raises what quote_refund raises, RefundRefused with NOTHING_LEFT, or RefundChanged when the
    amount differs now; then nothing changed.
    """
    return _refund(request, RefundKind.BALANCE, note.strip(), actor, source, now)


@transaction.atomic
def record_refund_outside(
    *, request: RefundRequest, note: str, actor: str, source: str, now: datetime
) -> Refund:
    """Record, once, that a refund was paid outside the shop; the note says how.

    Raises what refund_to_balance raises, and RefundRefused with NOTE (none, or too long).
    """
    if not note.strip():
        raise RefundRefused(RefundRefusal.NOTE)
    return _refund(request, RefundKind.OUTSIDE, note.strip(), actor, source, now)


def _refund(
    request: RefundRequest, kind: RefundKind, note: str, actor: str, source: str, now: datetime
) -> Refund:
    if len(note) > MOST_NOTE:
        raise RefundRefused(RefundRefusal.NOTE)
    order = _lock_order(request.order_item_id)
    known = Refund.objects.filter(quote_key=request.key).first()
    if known is not None:
        return known
    _keep_goods_back(order, now)
    quote = _confirmed(request, now)
    refund = _store(quote, kind, note, actor, now)
    if kind == RefundKind.BALANCE:
        _credit(refund, order)
    _record(refund, source)
    _tell(refund, order)
    return refund


def _lock_order(order_item_id: int) -> Order:
    """Lock buyer and order: what is left of the order and giving it back are one step."""
    peek = OrderItem.objects.select_related("order").filter(pk=order_item_id).first()
    if peek is None:
        raise OrderNotFound(str(order_item_id))
    Customer.objects.lock().get(pk=peek.order.customer_id)
    return Order.objects.lock().get(pk=peek.order_id)


def _keep_goods_back(order: Order, now: datetime) -> None:
    """Let nobody begin to send goods that are given back before they arrived.

    Raises RefundRefused with ON_ITS_WAY while somebody is sending them.
    """
    if order.delivered_at is not None:
        return
    message = goods_message(order.pk).lock().first()
    if message is not None and message.leased_until and message.leased_until >= now:
        raise RefundRefused(RefundRefusal.ON_ITS_WAY)


def _confirmed(request: RefundRequest, now: datetime) -> RefundQuote:
    """Return the quote as it is now if it is the one that was shown."""
    quote = quote_refund(order_item_id=request.order_item_id, units=request.units, now=now)
    if quote.amount == ZERO:
        raise RefundRefused(RefundRefusal.NOTHING_LEFT, quote=quote)
    if quote.request != request:
        raise RefundChanged(quote)
    return quote


def _store(quote: RefundQuote, kind: RefundKind, note: str, actor: str, now: datetime) -> Refund:
    return Refund.objects.create(
        quote_key=quote.request.key,
        order=quote.order,
        order_item=quote.order_item,
        units=quote.units,
        price=quote.price,
        amount=quote.amount,
        policy=quote.policy,
        period_days=quote.terms.period_days,
        days_used=quote.days_used,
        claims=quote.claims,
        multiplier=quote.multiplier,
        kind=kind,
        note=note,
        actor=actor,
        created_at=now,
    )


def _credit(refund: Refund, order: Order) -> None:
    post_entry(
        customer_id=order.customer_id,
        amount=refund.amount,
        kind=LedgerKind.REFUND,
        reference=order.invoice_id,
        idempotency_key=refund_entry_key(refund),
        actor=refund.actor,
        now=refund.created_at,
    )


def refund_entry_key(refund: Refund) -> str:
    """Return the idempotency key of a refund's ledger entry."""
    return f"refund:{refund.quote_key}"


def _record(refund: Refund, source: str) -> None:
    figures = ("order_item_id", "units", "price", "amount", "days_used", "claims", "multiplier")
    action = "refund_balance" if refund.kind == RefundKind.BALANCE else "refund_outside"
    record_audit(
        actor=refund.actor,
        action=action,
        target=f"order:{refund.order_id}",
        source=source,
        now=refund.created_at,
        changes=(None, {"refund": refund.pk} | {name: getattr(refund, name) for name in figures}),
    )


def _tell(refund: Refund, order: Order) -> None:
    customer_kind = CUSTOMER_HEARS[RefundKind(refund.kind)]
    for recipient, kind in ((order.customer_id, customer_kind), (STAFF, "staff_refund")):
        enqueue_message(
            recipient=recipient,
            kind=kind,
            references={"refund_id": refund.pk, "order_id": order.pk},
            dedupe_key=f"{kind}:{refund.pk}",
        )
