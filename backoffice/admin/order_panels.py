"""What stands below an order: what happened when, its goods, its money, its messages."""

from django.db.models import Q

from accounts.models import LedgerEntry
from backoffice.admin.order_timeline import order_timeline
from backoffice.admin.stock import SECRET, item_badge
from backoffice.case_stories import title as case_title
from backoffice.display import NOTHING, badge, link_to, moment, money, state_badge, with_fee
from backoffice.message_names import (
    is_for_staff,
    is_passed_on,
    message_badge,
    message_name,
    recipient_names,
)
from backoffice.panels import Panel, Timeline
from backoffice.staff import actor_names
from catalog.models import StockItem
from core.models import OutboxMessage
from orders.models import Order, Refund
from payments.models import Payment

MOST_GOODS = 50
MOST_MESSAGES = 30


def order_panels(order: Order) -> list[Panel | Timeline]:
    payments = list(order.payments.order_by("pk"))
    panels: list[Panel | Timeline] = [
        order_timeline(order, payments),
        _items(order),
        _goods(order),
        _payments(payments),
    ]
    cases = list(order.cases.order_by("-pk"))
    if cases:
        rows = [
            (
                link_to(case, case_title(case)),
                badge("Dealt with") if case.closed_at else badge("Open", "bad"),
                moment(case.opened_at),
            )
            for case in cases
        ]
        panels.append(
            Panel(
                title="Cases",
                headers=("Case", "Status", "Opened"),
                rows=rows,
                permission="payments.view_case",
            )
        )
    refunds = list(order.refunds.all())
    if refunds:
        panels.append(_refunds(refunds))
    return [*panels, _ledger(order, payments), _messages(order, payments)]


def _refunds(refunds: list[Refund]) -> Panel:
    return Panel(
        title="Refunds",
        permission="orders.view_refund",
        headers=("Goods", "Given back", "How", "By", "When"),
        rows=[
            (
                link_to(refund, f"{refund.units} × {refund.order_item.product_name}"),
                money(refund.amount),
                refund.get_kind_display(),
                refund.actor,
                moment(refund.created_at),
            )
            for refund in refunds
        ],
    )


def _items(order: Order) -> Panel:
    items = order.items.select_related("product").order_by("pk")
    return Panel(
        title="Bought",
        headers=("Product", "Name when it was bought", "Quantity", "Price each", "Subtotal"),
        rows=[
            (
                link_to(item.product),
                item.product_name,
                item.quantity,
                money(item.unit_price),
                money(item.unit_price * item.quantity),
            )
            for item in items
        ],
    )


def _goods(order: Order) -> Panel:
    """Short ids only: what the items contain is between the shop and the buyer."""
    mine = Q(order_item__order=order) | Q(shared_order_items__order=order)
    goods = StockItem.objects.filter(mine).defer(*SECRET).order_by("pk").distinct()
    return Panel(
        title="Goods",
        permission="catalog.view_stockitem",
        headers=("Item", "State", "File"),
        rows=[
            (link_to(item), item_badge(item), item.file_name or NOTHING)
            for item in goods[:MOST_GOODS]
        ],
        empty="None: nothing is reserved for this order.",
    )


def _payments(payments: list[Payment]) -> Panel:
    return Panel(
        title="Payments",
        permission="payments.view_payment",
        headers=("Reference", "Status", "Asked, with the fee", "Received", "Made", "Completed"),
        rows=[
            (
                link_to(payment),
                state_badge(payment.status, payment.get_status_display()),
                with_fee(payment.amount, payment.fee),
                money(payment.received_amount),
                moment(payment.created_at),
                moment(payment.completed_at),
            )
            for payment in payments
        ],
        empty="No gateway payment: paid from the balance, free, or not begun.",
    )


def _ledger(order: Order, payments: list[Payment]) -> Panel:
    references = [order.invoice_id, *(payment.reference for payment in payments)]
    found = LedgerEntry.objects.filter(customer=order.customer_id, reference__in=references)
    entries = list(found.order_by("pk"))
    names = actor_names(entry.actor for entry in entries)
    return Panel(
        title="Balance movements",
        permission="accounts.view_ledgerentry",
        headers=("Kind", "Amount", "Balance after", "By", "When"),
        rows=[
            (
                link_to(entry, entry.get_kind_display()),
                money(entry.amount),
                money(entry.balance_after),
                names[entry.actor],
                moment(entry.created_at),
            )
            for entry in entries
        ],
        empty="This order did not move the customer's balance.",
    )


def _messages(order: Order, payments: list[Payment]) -> Panel:
    about = Q(references__order_id=order.pk)
    for payment in payments:
        about |= Q(references__payment_id=payment.pk)
    # Since the order was placed, so that an index on the key bounds what is looked through.
    written = OutboxMessage.objects.filter(about, created_at__gte=order.placed_at)
    messages = [row for row in written.order_by("pk")[:MOST_MESSAGES] if not is_passed_on(row)]
    names = recipient_names(messages)
    return Panel(
        title="Notifications",
        permission="core.view_outboxmessage",
        headers=("Message", "To", "State", "Written", "Sent"),
        rows=[
            (
                link_to(message, message_name(message)),
                names[message.recipient] if is_for_staff(message) else "the customer",
                message_badge(message),
                moment(message.created_at),
                moment(message.sent_at),
            )
            for message in messages
        ],
        empty="No message was written for this order.",
    )
