"""A deposit: which amount, its QR code, what became of it."""

from decimal import Decimal

from django.utils.translation import gettext as _

from core.errors import DomainError
from core.ids import random_code
from core.models import store_settings
from core.money import ZERO, parse_rupiah
from orders import selectors
from orders.models import OrderStatus
from orders.services.quotes import get_quote
from payments.models import Payment, PaymentStatus
from payments.services import deposit as deposits
from payments.services.check import check_payment
from payments.services.deposit import DepositOutOfRange
from payments.services.health import gateway_is_down
from telegram_bot import deposit_keyboards, keyboards, returning, sessions
from telegram_bot.paths import KEY_LENGTH, WayBack, WayBackConverter
from telegram_bot.requests import BotRequest
from telegram_bot.screens import Screen
from telegram_bot.shortcuts import render
from telegram_bot.views.orders import UNAVAILABLE, checkout_url, is_being_prepared

AMOUNT = "deposit_amount"


def deposit(request: BotRequest, back: WayBack | None = None) -> Screen:
    """Offer the store's amounts, and first of all what was missing where the customer was."""
    back = back or WayBack()
    limits = store_settings()
    context = {
        "least": limits.deposit_least,
        "most": limits.deposit_most,
        "is_gateway_down": gateway_is_down(),
    }
    buttons = deposit_keyboards.amounts(limits.deposit_presets, _missing(request, back), back)
    return render(request, "telegram/deposit.html", context, buttons=buttons)


def _missing(request: BotRequest, back: WayBack) -> Decimal | None:
    """Return what a deposit would have to bring, priced anew; None: nothing, or not in one."""
    try:
        missing = _total(request, back) - request.customer.account_balance
    except DomainError:
        return None
    limits = store_settings()
    least, most = Decimal(limits.deposit_least), Decimal(limits.deposit_most)
    return max(missing, least) if ZERO < missing <= most else None


def _total(request: BotRequest, back: WayBack) -> Decimal:
    if back.order_id:
        order = selectors.get_order(customer_id=request.customer.pk, order_id=back.order_id)
        return order.total_bill if order.status == OrderStatus.PENDING else ZERO
    if not back.product_id:
        return ZERO
    quote = get_quote(
        customer=request.customer,
        product_id=back.product_id,
        quantity=back.quantity,
        voucher_id=back.voucher_id or None,
        now=request.now,
    )
    return quote.total


def ask_amount(request: BotRequest, back: WayBack) -> Screen:
    data = {"back": WayBackConverter().to_url(back), "key": random_code(KEY_LENGTH)}
    is_awaited = sessions.await_input(request.customer.pk, AMOUNT, data)
    template = "ask_amount" if is_awaited else "refused"
    limits = store_settings()
    context = {"least": limits.deposit_least, "most": limits.deposit_most}
    buttons = deposit_keyboards.other_amount(back)
    return render(request, f"telegram/{template}.html", context, buttons=buttons)


def enter_amount(request: BotRequest, back: str, key: str) -> Screen:
    """Take the typed amount; raise DepositOutOfRange when it is none."""
    try:
        amount = parse_rupiah(request.text)
    except ValueError:
        limits = store_settings()
        raise DepositOutOfRange(least=limits.deposit_least, most=limits.deposit_most) from None
    return _start(request, WayBackConverter().to_python(back), amount, key, message_id=None)


def start(request: BotRequest, back: WayBack, amount: int, key: str) -> Screen:
    return _start(request, back, Decimal(amount), key, message_id=request.message_id)


def _start(
    request: BotRequest, back: WayBack, amount: Decimal, key: str, message_id: int | None
) -> Screen:
    payment = deposits.start_deposit(
        customer_id=request.customer.pk,
        amount=amount,
        key=key,
        chat_id=request.chat_id,
        message_id=message_id,
        now=request.now,
    )
    returning.remember_way_back(payment.pk, back)
    return deposit_screen(request, payment)


def show(request: BotRequest, payment_id: int) -> Screen:
    return deposit_screen(request, _own(request, payment_id))


def deposit_screen(request: BotRequest, payment: Payment) -> Screen:
    """Show a deposit as it truly is, whichever button led here."""
    context = {"payment": payment}
    if payment.status == PaymentStatus.COMPLETED:
        buttons = deposit_keyboards.go_on(returning.find_way_back(payment.pk))
        return render(request, "telegram/deposit_received.html", context, buttons=buttons)
    if payment.status == PaymentStatus.PENDING:
        buttons = deposit_keyboards.open_deposit(payment, checkout_url(payment))
        return render(request, "telegram/deposit_open.html", context, buttons=buttons)
    if is_being_prepared(payment):
        buttons = deposit_keyboards.preparing(payment)
        return render(request, "telegram/deposit_preparing.html", context, buttons=buttons)
    if payment.status in UNAVAILABLE:
        buttons = deposit_keyboards.unavailable(payment)
        return render(request, "telegram/deposit_unavailable.html", context, buttons=buttons)
    buttons = deposit_keyboards.ended()
    return render(request, "telegram/deposit_ended.html", context, buttons=buttons)


def payment_status(request: BotRequest, payment_id: int) -> Screen:
    """Ask the gateway now; tell in a toast what only a toast is needed for."""
    payment = _own(request, payment_id)
    if not payment.is_open:
        return deposit_screen(request, payment)
    payment = check_payment(payment_id=payment.pk, now=request.now)
    if payment.status == PaymentStatus.COMPLETED:
        return Screen("", notice=_("✅ Payment received! Your balance is being topped up."))
    if payment.status == PaymentStatus.PENDING:
        return Screen("", notice=_("⏳ No payment yet. Scan the QR code, then check again."))
    if is_being_prepared(payment):
        return Screen("", notice=_("⏳ Your QR code is still being made, one moment."))
    return deposit_screen(request, payment)


def cancel(request: BotRequest, payment_id: int) -> Screen:
    payment = deposits.cancel_deposit(
        payment_id=payment_id, customer_id=request.customer.pk, now=request.now
    )
    buttons = keyboards.only_menu()
    context = {"payment": payment}
    return render(request, "telegram/deposit_ended.html", context, buttons=buttons)


def retry(request: BotRequest, payment_id: int) -> Screen:
    payment = deposits.retry_deposit(
        payment_id=payment_id,
        customer_id=request.customer.pk,
        chat_id=request.chat_id,
        message_id=request.message_id,
        now=request.now,
    )
    if payment.status != PaymentStatus.CREATING:
        return deposit_screen(request, payment)
    # The screen with its ways out stays until the QR code takes its place.
    return Screen("", notice=_("🔄 Trying again. The QR code comes as soon as QRIS answers."))


def _own(request: BotRequest, payment_id: int) -> Payment:
    return deposits.get_deposit(payment_id=payment_id, customer_id=request.customer.pk)
