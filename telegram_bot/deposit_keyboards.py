"""Buttons of the deposit flow."""

from collections.abc import Iterable
from decimal import Decimal

from django.utils.translation import gettext as _

from core.ids import random_code
from core.money import rupiah
from payments.models import Payment, PaymentStatus
from telegram_bot.keyboards import rows, to_menu
from telegram_bot.paths import KEY_LENGTH, WayBack
from telegram_bot.screens import Button, Buttons
from telegram_bot.shortcuts import path_to


def deposit(back: WayBack) -> Button:
    """The button that leads to a deposit, and from there back to where it was."""
    return Button(_("Deposit"), path_to("deposit", back))


def amounts(presets: Iterable[int], missing: Decimal | None, back: WayBack) -> Buttons:
    """Each amount has a key of its own: pressed twice it is one deposit."""
    buttons = [_amount(rupiah(each), each, back) for each in presets]
    first: Buttons = ()
    if missing is not None:
        label = _("What is missing: %(amount)s") % {"amount": rupiah(missing)}
        first = ((_amount(label, int(missing), back),),)
    other = Button(_("Other amount"), path_to("deposit_other", back))
    return (*first, *rows(buttons, 2), (other,), (to_origin(back),))


def _amount(label: str, amount: int, back: WayBack) -> Button:
    key = random_code(KEY_LENGTH)
    return Button(label, path_to("start_deposit", back, amount, key))


def to_origin(back: WayBack) -> Button:
    if back.is_known:
        return Button(_("BACK"), origin_path(back))
    return to_menu()


def origin_path(back: WayBack) -> str:
    if back.order_id:
        return path_to("order", back.order_id)
    if not back.product_id:
        return path_to("menu")
    voucher = (back.voucher_id,) if back.voucher_id else ()
    return path_to("summary", back.product_id, back.quantity, *voucher)


def go_on(back: WayBack) -> Buttons:
    """The one button below a credited deposit; the message itself stays."""
    if not back.is_known:
        return ((Button(_("🏠 Menu"), path_to("new_menu")),),)
    label = _("Back to the order") if back.order_id else _("Back to the order summary")
    return ((Button(label, origin_path(back)),),)


def other_amount(back: WayBack) -> Buttons:
    return ((Button(_("BACK"), path_to("deposit", back)), to_menu()),)


def open_deposit(payment: Payment, checkout_url: str) -> Buttons:
    return (
        (Button(_("Checkout Page"), url=checkout_url),),
        (_status(payment), _cancel(payment)),
    )


def preparing(payment: Payment) -> Buttons:
    return ((_status(payment), _cancel(payment)),)


def unavailable(payment: Payment) -> Buttons:
    """Offer to try again; a payment the gateway refused is followed by a new deposit."""
    if payment.status == PaymentStatus.FAILED:
        return ((Button(_("🔄 Try again"), path_to("deposit", WayBack())),), (to_menu(),))
    again = Button(_("🔄 Try again"), path_to("retry_deposit", payment.pk))
    return ((again,), (_cancel(payment),))


def ended() -> Buttons:
    return ((deposit(WayBack()), to_menu()),)


def _status(payment: Payment) -> Button:
    return Button(_("Payment status"), path_to("deposit_status", payment.pk))


def _cancel(payment: Payment) -> Button:
    return Button(_("Cancel"), path_to("cancel_deposit", payment.pk))
