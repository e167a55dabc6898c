"""What the outbox's messages are called, who they are for, and what became of them."""

from collections.abc import Iterable

from accounts.models import Customer, StaffChat
from accounts.services.customers import PAID_FOR
from backoffice.display import badge, clock, state_badge
from core.models import OutboxMessage, OutboxState

NAMES = {
    "payment_qr": "QR code to pay",
    "payment_unavailable": "No QR code could be made",
    "order_delivered": "Order delivered, with the goods",
    "order_expired": "Order expired",
    "order_cancelled": "Order cancelled, its QR code removed",
    "message_removal": "Old request to pay, taken away",
    "payment_credited": "Money put on the balance",
    "payment_in_review": "Money for an order marked paid by hand",
    "deposit_credited": "Deposit put on the balance",
    "deposit_expired": "Deposit expired",
    "deposit_cancelled": "Deposit cancelled, its QR code removed",
    "balance_changed": "Balance changed by staff",
    "staff_order_paid": "New paid order, to staff",
    "staff_order_expired": "Order expired unpaid, to staff",
    "staff_payment_credited": "Money put on a balance, to staff",
    "staff_deposit": "New deposit, to staff",
    "staff_case": "Case to look at, to staff",
    "refund_credited": "Refund put on the balance",
    "refund_paid": "Refund paid outside the shop",
    "staff_refund": "Refund, to staff",
    "staff_gateway_down": "Gateway does not answer, to staff",
    "staff_gateway_up": "Gateway answers again, to staff",
    "staff_gateway_refuses": "Gateway refuses payments, to staff",
    "staff_report": "Nightly comparison, to staff",
    "staff_message_stuck": "A message does not arrive, to staff",
    "staff_message_arrived": "It has arrived after all, to staff",
}
REASONS = {
    "Forbidden": "The customer blocked the bot",
    "RetryAfter": "Telegram asked to wait",
    "TimedOut": "Telegram did not answer in time",
    "TimeoutError": "Telegram did not answer in time",
    "NetworkError": "Telegram could not be reached",
    "OperationalError": "The database did not answer",
}
REFUSALS = ("BadRequest", "TelegramError", "InvalidToken", "Conflict")


def kind_name(kind: str) -> str:
    return NAMES.get(kind, kind.replace("_", " ").capitalize())


def message_name(message: OutboxMessage) -> str:
    return kind_name(message.kind)


def is_passed_on(message: OutboxMessage) -> bool:
    """Return whether every member of staff has a copy: this row itself is sent to nobody."""
    return message.recipient is None and message.state == OutboxState.SENT


def is_for_staff(message: OutboxMessage) -> bool:
    return message.kind.startswith("staff_")


def message_badge(message: OutboxMessage) -> str:
    if is_passed_on(message):
        return badge("passed on, a copy each")
    if message.recipient is None and message.state == OutboxState.DROPPED and message.sent_at:
        return badge("dropped: nobody to tell")
    if message.state == OutboxState.PENDING and message.attempts > 1:
        return badge(f"pending, tried {message.attempts} times", "wait")
    return state_badge(message.state, message.get_state_display())


def what_happened(message: OutboxMessage) -> list[str]:
    """Say of a message that is stuck how it stands and what the shop does about it."""
    why = why_not(message)
    if message.state == OutboxState.FAILED:
        return [f"{why}. The shop does not try again by itself."]
    if message.state == OutboxState.BLOCKED and message.kind in PAID_FOR:
        return [f"{why}. The message goes out by itself when they write to the bot again."]
    if message.state == OutboxState.BLOCKED:
        return [f"{why}. The shop does not try again by itself."]
    if why and message.not_before:
        return [f"{why}. The shop tries again by itself, next at {clock(message.not_before)}."]
    return []


def why_not(message: OutboxMessage) -> str:
    """Say in a few words why a message has not arrived; empty when nothing is wrong with it."""
    kind, _, told = message.error.partition(": ")
    if not kind or message.state in {OutboxState.SENT, OutboxState.DROPPED}:
        return ""
    if kind == "Forbidden" and (message.recipient or 0) < 0:
        return "The bot is no longer in this group"
    if kind in REASONS:
        return REASONS[kind]
    if kind in REFUSALS:
        return f"Telegram refuses it: {told}"
    return f"An error of the shop: {kind}"


def recipient_names(messages: Iterable[OutboxMessage]) -> dict[int | None, str]:
    """Name everybody these messages are for: a customer, an administrator or a group."""
    chats = {message.recipient for message in messages if message.recipient is not None}
    names: dict[int | None, str] = {None: "all staff", **{chat: str(chat) for chat in chats}}
    names.update(Customer.objects.filter(pk__in=chats).values_list("pk", "name"))
    groups = StaffChat.objects.filter(chat_id__in=chats)
    names.update((chat.chat_id, str(chat)) for chat in groups)
    return names
