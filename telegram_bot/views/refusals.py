"""What the shop says when a service refuses: one kind sentence and a way on."""

from collections.abc import Mapping
from functools import singledispatch
from typing import Any

from accounts.errors import CustomerBanned
from catalog.errors import OutOfStock, ProductUnavailable, QuantityOutOfRange
from core.errors import DomainError
from orders.errors import (
    MethodRefused,
    OrderNotFound,
    OrderNotPending,
    PriceChanged,
    TooManyOpenOrders,
    VoucherRefused,
)
from telegram_bot import keyboards
from telegram_bot.paths import Terms
from telegram_bot.requests import BotRequest
from telegram_bot.screens import Screen
from telegram_bot.shortcuts import render
from telegram_bot.views import checkout, orders

Arguments = Mapping[str, Any]


def invalid_button(request: BotRequest) -> Screen:
    return _plain(request, "telegram/invalid_button.html")


def banned(request: BotRequest) -> Screen:
    """The one answer to a banned customer; it replaces nothing, goods stay where they are."""
    return render(request, "telegram/banned.html", replaces=False)


@singledispatch
def refuse(error: DomainError, request: BotRequest, arguments: Arguments) -> Screen:
    """Answer a refusal; `arguments` are those of the view that was refused."""
    return _plain(request, "telegram/refused.html")


@refuse.register
def _(error: ProductUnavailable, request: BotRequest, arguments: Arguments) -> Screen:
    return render(request, "telegram/product_gone.html", buttons=keyboards.menu())


@refuse.register
def _(error: OutOfStock, request: BotRequest, arguments: Arguments) -> Screen:
    buttons = keyboards.back_to_product(error.product_id)
    return render(request, "telegram/out_of_stock.html", {"refusal": error}, buttons=buttons)


@refuse.register
def _(error: QuantityOutOfRange, request: BotRequest, arguments: Arguments) -> Screen:
    return _plain(request, "telegram/quantity_out_of_range.html", {"refusal": error})


@refuse.register
def _(error: VoucherRefused, request: BotRequest, arguments: Arguments) -> Screen:
    product_id, quantity = _wish(arguments)
    buttons = keyboards.without_voucher(product_id, quantity)
    return render(request, "telegram/voucher_refused.html", {"refusal": error}, buttons=buttons)


@refuse.register
def _(error: TooManyOpenOrders, request: BotRequest, arguments: Arguments) -> Screen:
    buttons = keyboards.open_orders(error.orders)
    context = {"refusal": error}
    return render(request, "telegram/too_many_open_orders.html", context, buttons=buttons)


@refuse.register
def _(error: MethodRefused, request: BotRequest, arguments: Arguments) -> Screen:
    return _plain(request, "telegram/method_refused.html", {"refusal": error})


@refuse.register
def _(error: OrderNotFound, request: BotRequest, arguments: Arguments) -> Screen:
    return _plain(request, "telegram/order_not_found.html")


@refuse.register
def _(error: OrderNotPending, request: BotRequest, arguments: Arguments) -> Screen:
    return orders.order_screen(request, error.order)


@refuse.register
def _(error: PriceChanged, request: BotRequest, arguments: Arguments) -> Screen:
    return checkout.price_changed(request, error.quote)


@refuse.register
def _(error: CustomerBanned, request: BotRequest, arguments: Arguments) -> Screen:
    return banned(request)


def _plain(request: BotRequest, template: str, context: dict[str, Any] | None = None) -> Screen:
    return render(request, template, context, buttons=keyboards.only_menu())


def _wish(arguments: Arguments) -> tuple[int, int]:
    """Return the product and the quantity the refused view was about."""
    terms = arguments.get("terms")
    if isinstance(terms, Terms):
        return terms.product_id, terms.quantity
    return arguments["product_id"], arguments["quantity"]
