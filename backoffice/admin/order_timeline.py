"""What happened to an order, oldest first, from what its rows keep."""

from accounts.models import LedgerEntry
from backoffice.display import money
from backoffice.panels import Step, Timeline
from core.models import OutboxMessage
from orders.models import Order, OrderStatus
from payments.models import MANUAL, CaseKind, Payment, PaymentStatus
from telegram_bot.undelivered import ARRIVED

ENDED = {
    OrderStatus.EXPIRED: "Expired unpaid: its goods were free for others",
    OrderStatus.CANCELLED: "Cancelled by the customer: its goods were free for others",
}
TOLD = {"order_expired": OrderStatus.EXPIRED, "order_cancelled": OrderStatus.CANCELLED}


def order_timeline(order: Order, payments: list[Payment]) -> Timeline:
    method = order.get_payment_method_display()
    steps = [Step(f"Placed, to be paid by {method}", order.placed_at, "shopping_cart", "info")]
    for payment in payments:
        steps += _payment_steps(payment)
    end = _end(order, payments)
    if end is not None:
        steps.append(end)
    steps += _credits(payments)
    if order.paid_at:
        text = "Paid late: the goods were still there, so the order was kept" if end else "Paid"
        steps.append(Step(text, order.paid_at, "check_circle", "good"))
    if order.delivered_at:
        text = "Handed over by staff" if _is_handed_over(order) else "Delivered to the chat"
        steps.append(Step(text, order.delivered_at, "local_shipping", "good"))
    steps += [
        Step(f"{money(refund.amount)} refunded", refund.created_at, "currency_exchange", "wait")
        for refund in order.refunds.all()
    ]
    if order.status == OrderStatus.PENDING:
        steps.append(Step("Expires if it is not paid", order.expires_at, "schedule", "wait"))
    return Timeline("What happened", sorted(steps, key=lambda step: step.at))


def _is_handed_over(order: Order) -> bool:
    """Return whether the moment of delivery is the one at which staff closed its case."""
    cases = order.cases.filter(kind=CaseKind.DELIVERY_FAILED, closed_at=order.delivered_at)
    return cases.exclude(resolution=ARRIVED).exists()


def _payment_steps(payment: Payment) -> list[Step]:
    if payment.gateway == MANUAL:
        text = f"Marked paid by hand: {payment.reason}"
        return [Step(text, payment.created_at, "approval", "good")]
    steps = [Step(f"QR code {payment.reference} made", payment.created_at, "qr_code_2")]
    is_completed = payment.status == PaymentStatus.COMPLETED
    if payment.ended_at:
        how = "ended" if is_completed else payment.status
        steps.append(Step(f"QR code {payment.reference} {how}", payment.ended_at, "qr_code_2"))
    if payment.completed_at:
        text = f"Gateway reports {money(payment.received_amount)} paid"
        if payment.ended_at and payment.ended_at <= payment.completed_at:
            text += ", after the QR code had ended"
        steps.append(Step(text, payment.completed_at, "payments", "good"))
    return steps


def _end(order: Order, payments: list[Payment]) -> Step | None:
    """Return when and how the order ended, also if money that came late opened it again."""
    if order.ended_at:
        return Step(ENDED[OrderStatus(order.status)], order.ended_at, "cancel", "bad")
    if order.paid_at is None:
        return None
    # A reopened order forgets its end; what the customer was told of it remembers.
    keys = [f"{kind}:{order.pk}" for kind in TOLD]
    message = OutboxMessage.objects.filter(dedupe_key__in=keys).order_by("-pk").first()
    if message is None:
        return None
    ends = [each.ended_at for each in payments if each.ended_at and each.ended_at < order.paid_at]
    at = message.created_at
    if not order.placed_at <= at <= order.paid_at:  # written by another clock than the order's
        at = max(ends, default=min(order.expires_at, order.paid_at))
    return Step(ENDED[TOLD[message.kind]], at, "cancel", "bad")


def _credits(payments: list[Payment]) -> list[Step]:
    """Money that did not pay the order went to the customer's balance."""
    keys = [f"payment:{each.pk}:credit" for each in payments if each.completed_at]
    if not keys:
        return []
    entries = LedgerEntry.objects.filter(idempotency_key__in=keys).order_by("pk")
    return [
        Step(
            f"{money(entry.amount)} put on the customer's balance",
            entry.created_at,
            "account_balance_wallet",
            "wait",
        )
        for entry in entries
    ]
