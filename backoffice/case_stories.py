"""What a case is about, in plain words: what happened, what the shop did, what a person may do."""

from collections.abc import Callable

from accounts.models import Customer, LedgerEntry
from backoffice.display import moment, money
from backoffice.message_names import what_happened
from orders.goods import is_withheld
from orders.models import Order, OrderStatus
from orders.services.fulfilment import goods_message
from payments.models import MANUAL, Case, CaseKind, Payment

TITLES = {
    CaseKind.AMOUNT_DIFFERS: "A customer paid another amount",
    CaseKind.UNMATCHED_EVENT: "The gateway reports money the shop does not know",
    CaseKind.DELIVERY_FAILED: "Paid goods did not reach the customer",
    CaseKind.PAID_AFTER_MANUAL: "An order marked paid by hand was paid at the gateway, too",
}
ADVICE = {
    CaseKind.AMOUNT_DIFFERS: "What you can do: usually nothing more, the customer can buy with"
    " the balance. If they want something else, write to them and note here what you agreed.",
    CaseKind.UNMATCHED_EVENT: "What you can do: look the transaction up in your account at the"
    " gateway. If a customer really paid it, settle it with them; then note here what you found.",
    CaseKind.DELIVERY_FAILED: "What you can do: send the message again in the outbox, hand the"
    " goods over in another way, or refund the order. This case ends by itself when they arrive;"
    " otherwise note here how it ended.",
    CaseKind.PAID_AFTER_MANUAL: "What you can do: find out whether this is the money for which the"
    " order was marked paid. If it is not, give it back or add it to the customer's balance;"
    " then note here what you did.",
}
ORDER_NOW = {
    OrderStatus.PENDING: "The order is still waiting for its payment.",
    OrderStatus.PAID: "The order itself was paid in another way.",
    OrderStatus.EXPIRED: "The order was not paid by it and has expired.",
    OrderStatus.CANCELLED: "The order was not paid by it and is cancelled.",
}


def title(case: Case) -> str:
    return TITLES[CaseKind(case.kind)]


def advice(case: Case) -> str:
    return ADVICE[CaseKind(case.kind)]


def story(case: Case) -> list[str]:
    return [sentence for sentence in STORIES[CaseKind(case.kind)](case) if sentence]


def customer_of(case: Case) -> Customer | None:
    about = case.order or case.payment
    return about.customer if about else None


def order_of(case: Case) -> Order | None:
    return case.order or (case.payment.order if case.payment else None)


def credit_of(payment: Payment) -> LedgerEntry | None:
    return LedgerEntry.objects.filter(idempotency_key=f"payment:{payment.pk}:credit").first()


def difference(payment: Payment) -> str:
    """Say by how much what came differs from what was asked for: `Rp5.000 less`."""
    if payment.received_amount is None or payment.received_amount == payment.amount:
        return ""
    more = payment.received_amount - payment.amount
    return f"{money(abs(more))} {'more' if more > 0 else 'less'}"


def _amount_differs(case: Case) -> list[str]:
    payment, order = case.payment, order_of(case)
    if payment is None:
        return ["The amount that the gateway reported is not the one that was asked for."]
    what = f"order {order}" if order else "a deposit"
    asked = f"{payment.customer.name} was to pay {money(payment.amount)} for {what}"
    told = f"but the gateway reports {money(payment.received_amount)}"
    how = difference(payment)
    return [
        f"{asked}, {told}{f': {how}' if how else ''}. The gateway's fee is not counted here.",
        _where_it_went(payment),
        ORDER_NOW[OrderStatus(order.status)] if order else "",
    ]


def _where_it_went(payment: Payment) -> str:
    entry = credit_of(payment)
    if entry is not None:
        return (
            f"The shop put the {money(entry.amount)} on the customer's balance"
            f" on {moment(entry.created_at)} and told the customer."
        )
    if payment.applied_at is None:
        return "The shop has not used the money yet; it tries again by itself."
    return "Nothing was put on the customer's balance."


def _unmatched_event(case: Case) -> list[str]:
    event = case.event
    told = "The gateway told the shop of a payment"
    if event is not None:
        amount = _amount_told(event.body)
        told += f" of {amount}" if amount else ""
        told += f" (transaction {event.txn_id}, reference {event.order_id})"
    return [
        f"{told}, but for an hour the shop could not match it with any payment of its own.",
        "The shop did nothing with it: no order was paid and no balance has changed.",
    ]


def _amount_told(body: object) -> str:
    amount = body.get("amount") if isinstance(body, dict) else None
    return money(amount) if isinstance(amount, int) else ""


def _delivery_failed(case: Case) -> list[str]:
    order = order_of(case)
    if order is None:
        return ["Goods are paid, but did not reach the customer's chat."]
    message = goods_message(order.pk).first()
    delivered = f"Meanwhile they were delivered, on {moment(order.delivered_at)}."
    paid = f"{order.customer.name} paid {money(order.total_bill)} for order {order}"
    came = f"{paid}, but the goods did not reach the customer's chat."
    if is_withheld(order=order):
        return [came, "The order was refunded, so they are not sent any more."]
    return [
        came,
        *(what_happened(message) if message else ()),
        delivered if order.delivered_at else "The goods are kept for this customer.",
    ]


def _paid_after_manual(case: Case) -> list[str]:
    payment, order = case.payment, order_of(case)
    if payment is None or order is None:
        return ["An order that staff had marked paid was paid at the gateway, too."]
    by_hand = order.payments.filter(gateway=MANUAL).first()
    came = f"The gateway reports {money(payment.received_amount)} for order {order}"
    return [
        f"{came}, which staff had marked paid by hand on {moment(order.paid_at)}.",
        f"Their reason: “{by_hand.reason}”" if by_hand else "",
        "Nothing was put on the customer's balance; the customer was told that you look into it.",
    ]


STORIES: dict[str, Callable[[Case], list[str]]] = {
    CaseKind.AMOUNT_DIFFERS: _amount_differs,
    CaseKind.UNMATCHED_EVENT: _unmatched_event,
    CaseKind.DELIVERY_FAILED: _delivery_failed,
    CaseKind.PAID_AFTER_MANUAL: _paid_after_manual,
}
