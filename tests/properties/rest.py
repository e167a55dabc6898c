"""What must be true when nothing is under way any more, and what a run has led to."""

from collections import Counter
from collections.abc import Iterator

from django.db.models import Q

from accounts.services.customers import PAID_FOR
from audit.models import AuditEntry
from catalog.models import ProductKind
from core.encryption import decrypt
from core.models import OutboxMessage, OutboxState
from orders.models import Order, OrderItem, Refund
from payments.models import Case, CaseKind, GatewayEvent, Payment, PaymentStatus
from sandbox.pakasir.models import PakasirTransaction
from sandbox.telegram.models import Message
from tests.properties.books import Books
from tests.properties.rules import Paid

WITHOUT_TEXT = ("order_cancelled", "deposit_cancelled", "message_removal")
"""These only take messages away."""


def unrest() -> Iterator[str]:
    """Yield whatever is still open long after everything should have ended."""
    leftovers = {
        "order is open": Order.objects.pending(),
        "payment is open": Payment.objects.open(),
        "payment had no effect": Payment.objects.unapplied(),
        "event is not handled": GatewayEvent.objects.filter(handled_at=None),
        # What only told of something is not repeated to who blocked the bot.
        "message was not sent": OutboxMessage.objects.filter(
            Q(state__in=[OutboxState.PENDING, OutboxState.FAILED])
            | Q(state=OutboxState.BLOCKED, kind__in=PAID_FOR)
        ),
        "audit entry is not shipped": AuditEntry.objects.filter(shipped_at=None),
        # What was refunded before it arrived is withheld.
        "paid order is not delivered": Order.objects.paid().filter(
            delivered_at=None, refunds=None
        ),
    }
    for what, rows in leftovers.items():
        yield from (f"{each}: {what}" for each in rows)
    yield from _lost_messages()
    yield from _dropped_money()
    yield from _missing_goods()


def _lost_messages() -> Iterator[str]:
    """What counts as sent stands in the chat, or stood there: a message of its own."""
    shown = set(Message.objects.values_list("chat", "message_id"))
    sent = OutboxMessage.objects.filter(state=OutboxState.SENT, recipient__isnull=False)
    for row in sent.exclude(kind__in=WITHOUT_TEXT).order_by("pk"):
        if (row.recipient, row.telegram_message_id) not in shown:
            yield f"{row} counts as sent, but its chat has no message {row.telegram_message_id}"
        shown.discard((row.recipient, row.telegram_message_id))


def _dropped_money() -> Iterator[str]:
    """All that came in at the gateway had its effect here, or waits for a person."""
    known = dict(Payment.objects.filter(status="completed").values_list("txn_id", "applied_at"))
    cases = set(Case.objects.exclude(event=None).values_list("event__txn_id", flat=True))
    for there in PakasirTransaction.objects.filter(status=Paid):
        if not known.get(there.txn_id) and there.txn_id not in cases:
            yield f"{there} of {there.received} is lost"


def _missing_goods() -> Iterator[str]:
    """Every unit that was bought stands in its buyer's chat, and in no other."""
    chats: dict[int, str] = {}
    for chat, body in Message.objects.filter(sender_id__gt=0).values_list("chat", "body"):
        chats[chat] = chats.get(chat, "") + str(body)
    bought = OrderItem.objects.filter(order__status="paid", product__kind=ProductKind.UNIQUE)
    bought = bought.exclude(order__delivered_at=None, order__refunds__isnull=False)
    for item in bought.select_related("order").prefetch_related("stock_items"):
        for unit in item.stock_items.all():
            content = decrypt(unit.content).decode()
            holders = [chat for chat, text in chats.items() if content in text]
            if holders != [item.order.customer_id]:
                yield f"{item.order}: {content} is in the chats {holders}"


def outcomes(books: Books) -> Counter[str]:
    """Count orders by what became of them, not by what was tried."""
    ways = Counter(
        Payment.objects.exclude(applied_at=None)
        .exclude(order=None)
        .values_list("order", flat=True)
    )
    by_balance = Order.objects.paid().filter(payment_method="balance").values_list("pk", flat=True)
    ways.update(by_balance)
    settled = Payment.objects.exclude(applied_at=None)
    return Counter(
        {
            "paid": Order.objects.paid().count(),
            "paid by QRIS": Order.objects.paid().filter(payment_method="qris").count(),
            "late": settled.filter(pk__in=books.late).count(),
            "late, delivered": settled.filter(pk__in=books.late, order__status="paid").count(),
            "twice": sum(1 for found in ways.values() if found > 1),
            "expired": OutboxMessage.objects.filter(
                kind="order_expired", recipient__isnull=False
            ).count(),
            "refunded": Refund.objects.values("order").distinct().count(),
            "deposited": Payment.objects.filter(order=None).exclude(applied_at=None).count(),
            "marked paid by hand": Order.objects.filter(payment_method="manual").count(),
            "left to staff": Case.objects.filter(kind=CaseKind.PAID_AFTER_MANUAL).count(),
            "cancelled": Order.objects.filter(status="cancelled").count(),
            "another amount": Case.objects.filter(kind=CaseKind.AMOUNT_DIFFERS).count(),
            "unmatched": Case.objects.filter(kind=CaseKind.UNMATCHED_EVENT).count(),
            "failed payments": Payment.objects.filter(status=PaymentStatus.FAILED).count(),
        }
    )
