"""Outbox rows about the balance: deposits, and what staff changed."""

from dataclasses import replace

from accounts.models import LedgerEntry
from core.outbox import References
from payments.models import Payment, PaymentStatus
from telegram_bot import deposit_keyboards, keyboards, returning
from telegram_bot.message_parts import (
    MessageIds,
    OutgoingMessage,
    Renderer,
    message_ids,
    remember_message,
    screen_of,
)
from telegram_bot.qr import qr_png
from telegram_bot.screens import Photo, Screen
from telegram_bot.views.orders import UNAVAILABLE, checkout_url

ENDED = (PaymentStatus.EXPIRED, PaymentStatus.CANCELLED)


def _deposit(references: References) -> Payment:
    return Payment.objects.select_related("customer").get(pk=references["payment_id"])


def _shown(payment: Payment) -> MessageIds:
    return message_ids(Payment.objects.filter(pk=payment.pk))


def deposit_qr(references: References) -> OutgoingMessage | None:
    payment = _deposit(references)
    if payment.status != PaymentStatus.PENDING:
        return None
    buttons = deposit_keyboards.open_deposit(payment, checkout_url(payment))
    screen = screen_of("deposit_qr.html", {"payment": payment}, buttons)
    photo = Photo(data=qr_png(payment.qr_string))
    return OutgoingMessage(
        replace(screen, photo=photo), _shown(payment), remember_message(payment)
    )


def deposit_unavailable(references: References) -> OutgoingMessage | None:
    payment = _deposit(references)
    if payment.status not in UNAVAILABLE:
        return None
    buttons = deposit_keyboards.unavailable(payment)
    screen = screen_of("deposit_unavailable.html", {"payment": payment}, buttons)
    return OutgoingMessage(screen, _shown(payment), remember_message(payment))


def deposit_credited(references: References) -> OutgoingMessage | None:
    """Say what came; one button leads on, to the summary the customer came from if it is known."""
    payment = _deposit(references)
    context = {
        "payment": payment,
        "entry": LedgerEntry.objects.get(idempotency_key=f"payment:{payment.pk}:credit"),
        "is_other_amount": payment.received_amount != payment.amount,
    }
    buttons = deposit_keyboards.go_on(returning.find_way_back(payment.pk))
    return OutgoingMessage(screen_of("deposit_credited.html", context, buttons), _shown(payment))


def _deposit_expired(references: References) -> OutgoingMessage | None:
    payment = _deposit(references)
    if payment.status not in ENDED:
        return None
    screen = screen_of("deposit_expired.html", {"payment": payment}, keyboards.expired())
    return OutgoingMessage(screen, _shown(payment))


def _deposit_cancelled(references: References) -> OutgoingMessage | None:
    """Take away the QR code only: the button that cancelled has its own screen."""
    with_qr = Payment.objects.filter(pk=references["payment_id"]).exclude(qr_string="")
    return OutgoingMessage(Screen(""), message_ids(with_qr))


def staff_deposit(references: References) -> OutgoingMessage | None:
    payment = _deposit(references)
    context = {"payment": payment, "buyer": payment.customer}
    return OutgoingMessage(screen_of("staff_deposit.html", context))


def _balance_changed(references: References) -> OutgoingMessage | None:
    entry = LedgerEntry.objects.get(pk=references["entry_id"])
    screen = screen_of("balance_changed.html", {"entry": entry}, keyboards.new_menu())
    return OutgoingMessage(screen)


MESSAGES: dict[str, Renderer] = {
    "deposit_credited": deposit_credited,
    "deposit_expired": _deposit_expired,
    "deposit_cancelled": _deposit_cancelled,
    "staff_deposit": staff_deposit,
    "balance_changed": _balance_changed,
}
