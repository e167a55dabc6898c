"""What stands below an order: what happened when, its goods, its money, its messages."""

from django.db.models import Q

from accounts.models import LedgerEntry
from backoffice.admin.stock import SECRET, item_badge
from backoffice.display import NOTHING, badge, link_to, moment, money, state_badge
from backoffice.panels import Panel, Step, Timeline
from catalog.models import StockItem
from core.models import OutboxMessage
from orders.models import Order, OrderStatus
from payments.models import Payment

MOST_GOODS = 50
ENDED = {OrderStatus.EXPIRED: "Expired unpaid", OrderStatus.CANCELLED: "Cancelled"}


def order_panels(order: Order) -> list[Panel | Timeline]:
    payments = list(order.payments.order_by("pk"))
    panels: list[Panel | Timeline] = [
        _timeline(order, payments),
        _items(order),
        _goods(order),
        _payments(payments),
    ]
    cases = list(order.cases.order_by("-pk"))
    if cases:
        rows = [(link_to(case, case.get_kind_display()), moment(case.opened_at)) for case in cases]
        panels.append(Panel(title="Cases", headers=("Case", "Opened"), rows=rows))
    return [*panels, _ledger(order, payments), _messages(order, payments)]


def _timeline(order: Order, payments: list[Payment]) -> Timeline:
    """Everything that has a time, oldest first."""
    method = order.get_payment_method_display()
    steps = [Step(f"Placed, to be paid by {method}", order.placed_at, "shopping_cart", "info")]
    for payment in payments:
        steps.append(Step(f"QR code {payment.reference} made", payment.created_at, "qr_code_2"))
        if payment.completed_at:
            text = f"Gateway reports {money(payment.received_amount)} paid"
            steps.append(Step(text, payment.completed_at, "payments", "good"))
        elif payment.ended_at:
            steps.append(Step(f"QR code {payment.status}", payment.ended_at, "qr_code_2"))
    if order.paid_at:
        steps.append(Step("Paid", order.paid_at, "check_circle", "good"))
    if order.delivered_at:
        steps.append(Step("Delivered to the chat", order.delivered_at, "local_shipping", "good"))
    if order.ended_at:
        text = ENDED.get(OrderStatus(order.status), "Ended")
        steps.append(Step(text, order.ended_at, "cancel", "bad"))
    if order.status == OrderStatus.PENDING:
        steps.append(Step("Expires if it is not paid", order.expires_at, "schedule", "wait"))
    return Timeline("What happened", sorted(steps, key=lambda step: step.at))


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
        headers=("Reference", "Status", "Amount", "Fee", "Received", "Made", "Completed"),
        rows=[
            (
                link_to(payment),
                state_badge(payment.status, payment.get_status_display()),
                money(payment.amount),
                money(payment.fee),
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
    entries = LedgerEntry.objects.filter(customer=order.customer_id, reference__in=references)
    return Panel(
        title="Balance movements",
        headers=("Kind", "Amount", "Balance after", "By", "When"),
        rows=[
            (
                link_to(entry, entry.get_kind_display()),
                money(entry.amount),
                money(entry.balance_after),
                entry.actor,
                moment(entry.created_at),
            )
            for entry in entries.order_by("pk")
        ],
        empty="This order did not move the customer's balance.",
    )


def _messages(order: Order, payments: list[Payment]) -> Panel:
    about = Q(references__order_id=order.pk)
    for payment in payments:
        about |= Q(references__payment_id=payment.pk)
    # Since the order was placed, so that an index on the key bounds what is looked through.
    messages = OutboxMessage.objects.filter(about, created_at__gte=order.placed_at)
    return Panel(
        title="Notifications",
        headers=("Message", "To", "State", "Written", "Sent"),
        rows=[
            (
                link_to(message, message.kind.replace("_", " ")),
                "the customer" if message.recipient == order.customer_id else "staff",
                message_badge(message),
                moment(message.created_at),
                moment(message.sent_at),
            )
            for message in messages.order_by("pk")[:20]
        ],
        empty="No message was written for this order.",
    )


def message_badge(message: OutboxMessage) -> str:
    if message.state == "pending" and message.attempts > 1:
        return badge(f"pending, tried {message.attempts} times", "wait")
    return state_badge(message.state, message.get_state_display())
