"""What the shop says when a service refuses: one kind sentence and a way on."""

from collections.abc import Callable, Mapping
from typing import Any

from accounts.errors import CustomerBanned
from catalog.errors import OutOfStock, ProductUnavailable, QuantityOutOfRange
from core.errors import DomainError
from orders.errors import (
    MethodRefused,
    OrderingPaused,
    OrderNotFound,
    OrderNotPending,
    PriceChanged,
    TooManyOpenOrders,
    VoucherRefused,
)
from payments.services.deposit import DepositNotFound, DepositNotOpen, DepositOutOfRange
from telegram_bot import deposit_keyboards, keyboards
from telegram_bot.paths import Terms
from telegram_bot.requests import BotRequest
from telegram_bot.screens import Buttons, Screen
from telegram_bot.shortcuts import render
from telegram_bot.views import checkout, deposits, orders

Arguments = Mapping[str, Any]

_TEMPLATES: dict[type[DomainError], str] = {
    ProductUnavailable: "telegram/product_gone.html",
    OutOfStock: "telegram/out_of_stock.html",
    QuantityOutOfRange: "telegram/quantity_out_of_range.html",
    VoucherRefused: "telegram/voucher_refused.html",
    TooManyOpenOrders: "telegram/too_many_open_orders.html",
    OrderingPaused: "telegram/ordering_paused.html",
    MethodRefused: "telegram/method_refused.html",
    OrderNotFound: "telegram/order_not_found.html",
    DepositOutOfRange: "telegram/deposit_out_of_range.html",
    DepositNotFound: "telegram/deposit_not_found.html",
}


def invalid_button(request: BotRequest) -> Screen:
    return render(request, "telegram/invalid_button.html", buttons=keyboards.only_menu())


def banned(request: BotRequest) -> Screen:
    """The one answer to a banned customer; it replaces nothing, goods stay where they are."""
    return render(request, "telegram/banned.html", replaces=False)


def refuse(error: DomainError, request: BotRequest, arguments: Arguments) -> Screen:
    """Answer a refusal; `arguments` are those of the view that was refused."""
    if isinstance(error, CustomerBanned):
        return banned(request)
    if isinstance(error, PriceChanged):
        return checkout.price_changed(request, error.quote)
    if isinstance(error, OrderNotPending):
        return orders.order_screen(request, error.order)
    if isinstance(error, DepositNotOpen):
        return deposits.deposit_screen(request, error.payment)
    template = _TEMPLATES.get(type(error), "telegram/refused.html")
    buttons = _way_on(error, arguments)
    return render(request, template, {"refusal": error}, buttons=buttons)


def _way_on(error: DomainError, arguments: Arguments) -> Buttons:
    for refusal, way in _WAYS:
        if isinstance(error, refusal):
            return way(error, arguments)
    return keyboards.only_menu()


def _back_to_summary(arguments: Arguments) -> Buttons:
    """Back to where the balance can pay."""
    return ((keyboards.back_to_summary(arguments["terms"]), keyboards.to_menu()),)


def _wish(arguments: Arguments) -> tuple[int, int]:
    """Return the product and the quantity the refused view was about."""
    terms = arguments.get("terms")
    if isinstance(terms, Terms):
        return terms.product_id, terms.quantity
    return arguments["product_id"], arguments["quantity"]


_WAYS: tuple[tuple[type[DomainError], Callable[[Any, Arguments], Buttons]], ...] = (
    (ProductUnavailable, lambda *_: keyboards.menu()),
    (OutOfStock, lambda error, _: keyboards.back_to_product(error.product_id)),
    (TooManyOpenOrders, lambda error, _: keyboards.open_orders(error.orders)),
    (OrderingPaused, lambda _, arguments: _back_to_summary(arguments)),
    (VoucherRefused, lambda _, arguments: keyboards.without_voucher(*_wish(arguments))),
    (DepositOutOfRange, lambda *_: deposit_keyboards.ended()),
    (DepositNotFound, lambda *_: deposit_keyboards.ended()),
)
