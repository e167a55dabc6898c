"""Placed orders: what became of them, their goods, their payment."""

from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.errors import InsufficientBalance
from core.models import store_settings
from orders import selectors
from orders.errors import OrderNotFound
from orders.models import Order, OrderStatus
from payments.gateways import get_gateway
from payments.models import Payment, PaymentStatus
from payments.services import checkout as payments
from payments.services.cancel import cancel_order
from payments.services.check import check_payment
from payments.services.checkout import Checkout
from payments.services.health import gateway_is_down
from telegram_bot import deposit_keyboards, keyboards
from telegram_bot.goods import DeliveredGoods, present_goods
from telegram_bot.paths import WayBack
from telegram_bot.requests import BotRequest
from telegram_bot.screens import Button, Screen
from telegram_bot.shortcuts import render
from telegram_bot.undelivered import record_arrival

UNAVAILABLE = (PaymentStatus.CREATING, PaymentStatus.FAILED)


def history(request: BotRequest, page: int = 1) -> Screen:
    found = selectors.order_history(customer_id=request.customer.pk, page=page)
    buttons = keyboards.history(found)
    return render(request, "telegram/history.html", {"page": found}, buttons=buttons)


def order(request: BotRequest, order_id: int) -> Screen:
    return order_screen(request, _own_order(request, order_id))


def order_screen(request: BotRequest, order: Order) -> Screen:
    """Show an order as it truly is, whichever button led here."""
    if order.status == OrderStatus.PAID:
        return _paid_order(request, order)
    payment = latest_payment(order)
    if order.status != OrderStatus.PENDING:
        context = {"order": order, "item": order.items.first(), **late_money_context()}
        buttons = keyboards.back_to_orders()
        return render(request, "telegram/order_ended.html", context, buttons=buttons)
    if payment is not None and payment.status == PaymentStatus.PENDING:
        return _open_order(request, order, payment)
    if payment is not None and is_being_prepared(payment):
        buttons = keyboards.preparing(order)
        return render(request, "telegram/preparing.html", {"order": order}, buttons=buttons)
    return _unpaid_order(request, order, payment)


def late_money_context() -> dict[str, bool]:
    """What the texts need that say what happens to money which still comes in."""
    return {"is_delivered_late": store_settings().deliver_late_payments}


def latest_payment(order: Order) -> Payment | None:
    return order.payments.order_by("-pk").first()


def is_being_prepared(payment: Payment) -> bool:
    """Whether the gateway was not yet asked in vain."""
    return payment.status == PaymentStatus.CREATING and payment.attempts < 2


def _paid_order(request: BotRequest, order: Order) -> Screen:
    try:
        goods = _open_goods(request, order, with_files=False)
    except OrderNotFound:
        buttons = keyboards.back_to_orders()
        return render(request, "telegram/order_refunded.html", {"order": order}, buttons=buttons)
    return render(
        request,
        "telegram/order_paid.html",
        {"order": order, "goods": goods},
        buttons=keyboards.paid_order(order, has_files=bool(goods.documents)),
    )


def _open_order(request: BotRequest, order: Order, payment: Payment) -> Screen:
    context = {"order": order, "item": order.items.first(), "payment": payment}
    buttons = keyboards.open_payment(order, checkout_url(payment))
    return render(request, "telegram/order_open.html", context, buttons=buttons)


def _unpaid_order(request: BotRequest, order: Order, payment: Payment | None) -> Screen:
    if order.payments.unapplied().exists():
        return render(request, "telegram/payment_received.html", {"order": order})
    has_failed = payment is not None and payment.status in UNAVAILABLE
    template = "payment_unavailable" if has_failed else "order_unpaid"
    buttons = keyboards.payment_unavailable(order)
    is_gateway_down = gateway_is_down(now=request.now)
    context = {"order": order, "payment": payment, "is_gateway_down": is_gateway_down}
    return render(request, f"telegram/{template}.html", context, buttons=buttons)


def checkout_url(payment: Payment) -> str:
    redirect = f"https://t.me/{settings.BOT_USERNAME}"
    return get_gateway(payment.gateway).checkout_url(payment.txn_id or "", redirect)


def goods(request: BotRequest, order_id: int) -> Screen:
    """Send the goods again as a message of their own, with their files."""
    order = _own_order(request, order_id)
    delivered = _open_goods(request, order, with_files=True)
    return delivered_screen(request, order, delivered)


@transaction.atomic
def _open_goods(request: BotRequest, order: Order, *, with_files: bool) -> DeliveredGoods:
    """Return the goods of a paid order: who opens them here has them, sent or not.

    Raises OrderNotFound when they were given back before; a refund at this moment comes first or
    finds them delivered.
    """
    if order.delivered_at is None:
        order = Order.objects.lock().get(pk=order.pk)
    goods = present_goods(order)
    if order.delivered_at is None and (with_files or not goods.documents):
        record_arrival(order_id=order.pk, now=request.now)
    return goods


def delivered_screen(request: BotRequest, order: Order, delivered: DeliveredGoods) -> Screen:
    return render(
        request,
        "telegram/order_paid.html",
        {"order": order, "goods": delivered, "documents_follow": True},
        documents=delivered.documents,
        buttons=keyboards.new_menu(),
        replaces=False,
    )


def payment_status(request: BotRequest, order_id: int) -> Screen:
    """Ask the gateway now; tell in a toast what only a toast is needed for."""
    order = _own_order(request, order_id)
    payment = latest_payment(order)
    if payment is None or order.status != OrderStatus.PENDING:
        return order_screen(request, order)
    check_payment(payment_id=payment.pk, now=request.now)
    order.refresh_from_db()
    if order.status == OrderStatus.PAID:
        return Screen("", notice=_("✅ Payment received! Your order is on its way."))
    payment = latest_payment(order)
    if order.status == OrderStatus.PENDING and payment is not None and payment.is_open:
        return _still_waiting(request, order, payment)
    return order_screen(request, order)


def _still_waiting(request: BotRequest, order: Order, payment: Payment) -> Screen:
    if payment.status == PaymentStatus.PENDING:
        return Screen("", notice=_("⏳ No payment yet. Scan the QR code, then check again."))
    if is_being_prepared(payment):
        return Screen("", notice=_("⏳ Your QR code is still being made, one moment."))
    return order_screen(request, order)


def cancel(request: BotRequest, order_id: int) -> Screen:
    order = cancel_order(order_id=order_id, customer_id=request.customer.pk, now=request.now)
    context = {"order": order, "item": order.items.first(), **late_money_context()}
    buttons = keyboards.only_menu()
    return render(request, "telegram/order_cancelled.html", context, buttons=buttons)


def retry(request: BotRequest, order_id: int) -> Screen:
    payment = payments.retry_qris(
        order_id=order_id,
        customer_id=request.customer.pk,
        chat_id=request.chat_id,
        message_id=request.message_id,
        now=request.now,
    )
    order = _own_order(request, order_id)
    if payment.status != PaymentStatus.CREATING:
        return order_screen(request, order)
    # The screen with its ways out stays until the QR code takes its place.
    return Screen("", notice=_("🔄 Trying again. The QR code comes as soon as QRIS answers."))


def confirm_balance(request: BotRequest, order_id: int) -> Screen:
    """Ask before a placed order is paid from the balance instead."""
    order = _own_order(request, order_id)
    if order.status != OrderStatus.PENDING:
        return order_screen(request, order)
    yes, back = keyboards.confirm_order_balance(order), keyboards.back_to_order(order)
    return balance_screen(request, order.total_bill, yes, back, WayBack(order_id=order.pk))


def balance_screen(
    request: BotRequest, total: Decimal, yes: Button, back: Button, way_back: WayBack
) -> Screen:
    """Ask whether to pay from the balance, or say what is missing in it."""
    balance = request.customer.account_balance
    if total > balance:
        refusal = InsufficientBalance(balance=balance, needed=total)
        return missing_balance(request, refusal, back, way_back)
    context = {"total": total, "left": balance - total}
    return render(request, "telegram/confirm_balance.html", context, buttons=((yes, back),))


def missing_balance(
    request: BotRequest, refusal: InsufficientBalance, back: Button, way_back: WayBack
) -> Screen:
    context = {"refusal": refusal}
    buttons = ((deposit_keyboards.deposit(way_back),), (back,))
    return render(request, "telegram/insufficient_balance.html", context, buttons=buttons)


def pay_from_balance(request: BotRequest, order_id: int) -> Screen:
    order = _own_order(request, order_id)
    try:
        paid = payments.buy_with_balance(checkout=_checkout_of(order), now=request.now)
    except InsufficientBalance as refusal:
        way_back = WayBack(order_id=order.pk)
        return missing_balance(request, refusal, keyboards.back_to_order(order), way_back)
    return paid_screen(request, paid)


def _checkout_of(order: Order) -> Checkout:
    """Return the checkout that placed this order: with its key, it finds the order again."""
    item = order.items.get()
    return Checkout(
        customer_id=order.customer_id,
        key=order.checkout_key.partition(":")[2],
        product_id=item.product_id,
        quantity=item.quantity,
        total=order.total_bill,
    )


def paid_screen(request: BotRequest, order: Order) -> Screen:
    """Say that it is paid; the goods follow by the outbox, as a message of their own."""
    if order.delivered_at is not None:
        return order_screen(request, order)
    buttons = keyboards.only_menu()
    return render(request, "telegram/paid.html", {"order": order}, buttons=buttons)


def _own_order(request: BotRequest, order_id: int) -> Order:
    return selectors.get_order(customer_id=request.customer.pk, order_id=order_id)
