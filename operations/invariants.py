"""What must be true of every store at any time (I1 to I10 but I8, which the database refuses)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db.models import Count, F, Q, Sum, Window

from accounts.models import Customer, LedgerEntry, LedgerKind
from catalog.models import Product, ProductKind, StockBatch, StockItem, StockState
from core.models import store_settings
from orders.models import (
    Order,
    OrderItem,
    OrderStatus,
    PaymentMethod,
    Refund,
    RefundKind,
    Voucher,
    VoucherUse,
)
from orders.services.refunds import refund_entry_key
from payments.models import Case, CaseKind, Payment, PaymentStatus

MINUTES = timedelta(minutes=5)
"""How long a paid order may wait for its delivery, and a completion for its effect."""
SWEEP = timedelta(minutes=1)
"""How long the sweep may take to find what is over."""
USE_OF = {
    OrderStatus.PENDING: "reserved",
    OrderStatus.PAID: "consumed",
    OrderStatus.EXPIRED: "released",
    OrderStatus.CANCELLED: "released",
}


def broken_invariants(now: datetime) -> list[str]:
    """Return one line per violation, each beginning with the invariant's name."""
    checks = {
        "I1": _items_in_one_order(),
        "I2": _stock_adds_up(),
        "I3": _balances(),
        "I4": _completions(now),
        "I5": _deliveries(now),
        "I6": _vouchers(),
        "I7": _transitions(),
        "I9": _reserved_too_long(now),
        "I10": _refunds(),
    }
    return [f"{name} {each}" for name, found in checks.items() for each in found]


def _items_in_one_order() -> Iterator[str]:
    """An item belongs to a live order, in that order's state, and no order holds too few."""
    held = StockItem.objects.filter(state__in=[StockState.RESERVED, StockState.SOLD])
    fits = Q(state=StockState.RESERVED, order_item__order__status=OrderStatus.PENDING) | Q(
        state=StockState.SOLD, order_item__order__status=OrderStatus.PAID
    )
    foreign = ~Q(product=F("order_item__product"))
    for item in held.filter(~fits | foreign):
        yield f"{item} is {item.state} for order item {item.order_item_id}"
    live = OrderItem.objects.filter(
        product__kind=ProductKind.UNIQUE,
        order__status__in=[OrderStatus.PENDING, OrderStatus.PAID],
    )
    for each in live.annotate(found=Count("stock_items")).exclude(found=F("quantity")):
        yield f"order item {each.pk} has {each.found} of {each.quantity} items"


def _stock_adds_up() -> Iterator[str]:
    for batch in StockBatch.objects.annotate(found=Count("items")):
        if batch.found != batch.imported_count:
            yield f"{batch} has {batch.found} of {batch.imported_count} items"
    for item in StockItem.objects.exclude(product=F("batch__product")):
        yield f"{item} is of another product than its batch"
    sold = _sold_copies()
    for product in Product.objects.exclude(quota=None):
        if sold[product.pk] > (product.quota or 0):
            yield f"{product} sold {sold[product.pk]} of {product.quota} copies"


def _sold_copies() -> Counter[int]:
    live = OrderItem.objects.filter(
        order__status__in=[OrderStatus.PENDING, OrderStatus.PAID], shared_item__isnull=False
    )
    rows = live.order_by().values_list("product").annotate(units=Sum("quantity"))
    return Counter(dict(rows))


def _balances() -> Iterator[str]:
    rows = Customer.objects.annotate(total=Sum("ledger__amount", default=0))
    wrong = rows.exclude(account_balance=F("total"), account_balance__gte=0)
    for customer, balance, total in wrong.values_list("pk", "account_balance", "total"):
        yield f"customer {customer} has {balance}, the ledger {total}"
    running = Window(Sum("amount"), partition_by="customer", order_by="id")
    for entry in LedgerEntry.objects.annotate(running=running):
        if entry.running != entry.balance_after:
            yield f"ledger entry {entry.pk}: {entry.balance_after}, not {entry.running}"


def _completions(now: datetime) -> Iterator[str]:
    """Money of a payment has one effect; goods are paid once, by what the order says."""
    completed = Payment.objects.filter(status=PaymentStatus.COMPLETED).select_related("order")
    credited = {
        entry.idempotency_key: entry
        for entry in LedgerEntry.objects.filter(idempotency_key__startswith="payment:")
    }
    cases = set(Case.objects.values_list("payment", flat=True))
    paying: Counter[int | None] = Counter()
    for payment in completed:
        credit = credited.get(f"payment:{payment.pk}:credit")
        if payment.applied_at is None:
            if payment.completed_at and payment.completed_at < now - MINUTES:
                yield f"payment {payment} came and had no effect"
        elif credit is None:
            paying[payment.order_id] += 1
            is_used = payment.order is not None and payment.order.status == OrderStatus.PAID
            if not is_used and payment.pk not in cases:
                yield f"payment {payment} is neither used nor credited nor a case"
        elif (credit.amount, credit.customer_id) != (payment.received_amount, payment.customer_id):
            yield f"payment {payment} is credited otherwise than received"
    yield from _ways_of_paying(paying)


def _ways_of_paying(paying: Counter[int | None]) -> Iterator[str]:
    bought = {
        entry.idempotency_key: entry.amount
        for entry in LedgerEntry.objects.filter(kind=LedgerKind.PURCHASE)
    }
    cases = set(Case.objects.values_list("order", flat=True))
    for order in Order.objects.paid():
        debit = bought.get(f"order:{order.pk}:purchase", 0)
        expected = {
            PaymentMethod.QRIS: (1, 0),
            PaymentMethod.BALANCE: (0, -order.total_bill),
            PaymentMethod.FREE: (0, 0),
        }[PaymentMethod(order.payment_method)]
        if (paying[order.pk], debit) != expected and order.pk not in cases:
            yield f"{order} by {order.payment_method}: {paying[order.pk]} payments, {debit}"


def _deliveries(now: datetime) -> Iterator[str]:
    for order in Order.objects.exclude(delivered_at=None).exclude(status=OrderStatus.PAID):
        yield f"{order} is delivered but {order.status}"
    told = Case.objects.filter(kind=CaseKind.DELIVERY_FAILED, closed_at=None)
    late = Order.objects.paid().filter(delivered_at=None, paid_at__lt=now - MINUTES, refunds=None)
    for order in late.exclude(pk__in=told.filter(order__isnull=False).values("order")):
        yield f"{order} is paid but not delivered"


def _vouchers() -> Iterator[str]:
    live = Q(uses__state__in=["reserved", "consumed"])
    used = Voucher.objects.annotate(live=Count("uses", filter=live))
    over_total = used.filter(live__gt=F("total_uses"))
    for code, found, most in over_total.values_list("code", "live", "total_uses"):
        yield f"{code} has {found} uses of {most}"
    rows = VoucherUse.objects.exclude(state="released").values(
        "voucher", "voucher__uses_per_customer", "customer"
    )
    over = rows.annotate(live=Count("pk")).filter(live__gt=F("voucher__uses_per_customer"))
    for row in over:
        yield f"voucher {row['voucher']} has {row['live']} uses by {row['customer']}"


def _transitions() -> Iterator[str]:
    """What the rows still show of their past: times in order, states that fit each other."""
    yield from _named("expired early", _orders(status="expired", ended_at__lt=F("expires_at")))
    yield from _named("ended before placed", _orders(ended_at__lt=F("placed_at")))
    yield from _named("paid before placed", _orders(paid_at__lt=F("placed_at")))
    yield from _named("delivered before paid", _orders(delivered_at__lt=F("paid_at")))
    yield from _named("ended before made", Payment.objects.filter(ended_at__lt=F("created_at")))
    early = Payment.objects.filter(completed_at__lt=F("created_at"))
    yield from _named("completed before made", early)
    open_payments = Payment.objects.open().exclude(order=None)
    yield from _named("open for an ended order", open_payments.exclude(order__status="pending"))
    for use in VoucherUse.objects.select_related("order"):
        if use.state != USE_OF[OrderStatus(use.order.status)]:
            yield f"voucher use {use.pk} is {use.state}, its order {use.order.status}"


def _orders(**conditions: object) -> Iterable[Order]:
    return Order.objects.filter(**conditions)


def _named(what: str, rows: Iterable[object]) -> Iterator[str]:
    return (f"{row} {what}" for row in rows)


def _reserved_too_long(now: datetime) -> Iterator[str]:
    settings = store_settings()
    due = now - settings.expiry_grace - SWEEP
    silent = Payment.objects.open().exclude(silent_since=None).values("order")
    arrived = Payment.objects.unapplied().exclude(order=None).values("order")
    late = Order.objects.pending().exclude(pk__in=arrived)
    patient = late.filter(pk__in=silent, expires_at__lt=due - settings.gateway_silence)
    prompt = late.exclude(pk__in=silent).filter(expires_at__lt=due)
    yield from _named("still holds its goods", [*patient, *prompt])


def _refunds() -> Iterator[str]:
    """What an order gave back was paid for its goods, and each credit has its refund."""
    given = Refund.objects.order_by().values_list("order").annotate(total=Sum("amount"))
    orders = Order.objects.paid().in_bulk([order for order, _total in given])
    for pk, total in given:
        order = orders.get(pk)
        if order is None or total > order.subtotal - order.voucher_discount:
            yield f"order {order or pk}: {total} refunded"
    entries = LedgerEntry.objects.filter(kind=LedgerKind.REFUND)
    credited = {entry.idempotency_key: (entry.customer_id, entry.amount) for entry in entries}
    for refund in Refund.objects.filter(kind=RefundKind.BALANCE).select_related("order"):
        expected = (refund.order.customer_id, refund.amount)
        if credited.pop(refund_entry_key(refund), None) != expected:
            yield f"{refund} is credited otherwise than recorded"
    yield from (f"ledger entry {key} has no refund" for key in credited)
