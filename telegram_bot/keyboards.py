"""Buttons. Labels stay short; a button's path carries everything its view needs."""

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.translation import gettext as _

from orders.models import Order
from orders.selectors import CategoryEntry, Offer, Page, numbers_in_stock
from orders.services.quotes import Quote
from telegram_bot.lengths import shorten
from telegram_bot.paths import Terms
from telegram_bot.screens import Button, Buttons
from telegram_bot.shortcuts import path_to

LABEL_UNITS = 56
NUMBERS_PER_ROW = 8
ReplyKeyboard = tuple[tuple[str, ...], ...]


def rows(buttons: Iterable[Button], width: int = 1) -> Buttons:
    found = list(buttons)
    return tuple(tuple(found[at : at + width]) for at in range(0, len(found), width))


def reply_keyboard() -> ReplyKeyboard:
    """The keyboard below the chat: what one can do, and the numbers of the products in stock."""
    numbers = [str(number) for number in numbers_in_stock()]
    number_rows = (
        tuple(numbers[at : at + NUMBERS_PER_ROW]) for at in range(0, len(numbers), NUMBERS_PER_ROW)
    )
    return (
        (_("PRODUCT LIST"), _("STOCK")),
        (_("ORDER HISTORY"), _("HELP")),
        *number_rows,
    )


def menu() -> Buttons:
    return (
        (
            Button(_("Categories"), path_to("categories", 1)),
            Button(_("Best sellers"), path_to("best_sellers", 1)),
        ),
        (Button(_("All products"), path_to("products", 1)),),
        (Button(_("Order history"), path_to("orders", 1)),),
    )


def to_menu() -> Button:
    return Button(_("🏠 Menu"), path_to("menu"))


def only_menu() -> Buttons:
    return ((to_menu(),),)


def new_menu() -> Buttons:
    """For a message that must stay, such as the goods: the menu comes as a message of its own."""
    return ((Button(_("🏠 Menu"), path_to("new_menu")),),)


def turn_pages(page: Page[Any], to: Callable[[int], str], back: str) -> tuple[Button, ...]:
    """[BACK] leads to the page before, on the first one to `back`; [NEXT] goes round."""
    previous = to(page.number - 1) if page.has_previous else back
    buttons = (Button(_("BACK"), previous),)
    if page.pages == 1:
        return buttons
    label = _("NEXT %(page)s/%(pages)s") % {"page": page.number, "pages": page.pages}
    return (*buttons, Button(label, to(page.number + 1 if page.has_next else 1)))


def categories(page: Page[CategoryEntry]) -> Buttons:
    entries = (
        Button(shorten(category_name(entry), LABEL_UNITS), path_to("category", entry.id, 1))
        for entry in page.items
    )
    return (
        *rows(entries),
        turn_pages(page, lambda number: path_to("categories", number), path_to("menu")),
    )


def category_name(entry: CategoryEntry) -> str:
    return entry.name or _("Without category")


def offers(offers: Iterable[Offer]) -> Buttons:
    return rows(
        Button(_offer_label(offer), path_to("product", offer.product.pk)) for offer in offers
    )


def _offer_label(offer: Offer) -> str:
    mark = "❌ " if offer.is_sold_out else ""
    return shorten(f"{mark}{offer.product.number} · {offer.product.name}", LABEL_UNITS)


def product(offer: Offer, quantity: int) -> Buttons:
    """Quantity buttons say what they would like; the product's view keeps it within 1..most."""
    pay = Button(_("Continue to payment"), path_to("summary", offer.product.pk, quantity))
    leave = Button(_("Cancel"), path_to("menu"))
    if not offer.product.is_unique:
        return ((pay,), (leave,))

    def step(label: str, change: int) -> Button:
        return Button(label, path_to("product", offer.product.pk, quantity + change))

    return (
        (step("-", -1), step("+", 1)),
        (step("+2", 2), step("+5", 5), step("+10", 10)),
        (pay,),
        (leave,),
    )


def sold_out(similar: Iterable[Offer]) -> Buttons:
    return (*offers(similar), (Button(_("BACK"), path_to("products", 1)), to_menu()))


def summary(quote: Quote) -> Buttons:
    voucher_id = quote.voucher.pk if quote.voucher else None
    terms = Terms.new(
        product_id=quote.product.pk,
        quantity=quote.quantity,
        total=quote.total,
        voucher_id=voucher_id,
    )
    leave = (
        Button(_("BACK"), path_to("product", quote.product.pk, quote.quantity)),
        Button(_("CANCEL"), path_to("menu")),
    )
    return (*_voucher_row(quote), _payment_row(quote, terms), leave)


def _voucher_row(quote: Quote) -> Buttons:
    if not quote.subtotal:
        return ()
    here = (quote.product.pk, quote.quantity)
    if quote.voucher:
        return ((Button(_("Remove voucher"), path_to("summary", *here)),),)
    return ((Button(_("Use voucher"), path_to("voucher", *here)),),)


def _payment_row(quote: Quote, terms: Terms) -> tuple[Button, ...]:
    if not quote.total:
        return (Button(_("Take it"), path_to("take", terms)),)
    balance = Button(_("BALANCE"), path_to("balance", terms))
    if not quote.can_use_qris:
        return (balance,)
    return (Button(_("QRIS"), path_to("qris", terms)), balance)


def back_to_summary(terms: Terms) -> Button:
    return Button(_("BACK"), summary_path(terms))


def summary_path(terms: Terms) -> str:
    voucher = (terms.voucher_id,) if terms.voucher_id else ()
    return path_to("summary", terms.product_id, terms.quantity, *voucher)


def confirm_balance(terms: Terms) -> Button:
    return Button(_("Yes"), path_to("pay", terms))


def open_payment(order: Order, checkout_url: str) -> Buttons:
    return (
        (Button(_("Checkout Page"), url=checkout_url),),
        (Button(_("Payment status"), path_to("payment_status", order.pk)), cancel_order(order)),
    )


def cancel_order(order: Order) -> Button:
    return Button(_("Cancel"), path_to("cancel_order", order.pk))


def payment_unavailable(order: Order) -> Buttons:
    balance = Button(_("BALANCE"), path_to("order_balance", order.pk))
    return (
        (Button(_("🔄 Try again"), path_to("retry_payment", order.pk)),),
        (balance, cancel_order(order)),
    )


def history(page: Page[Order]) -> Buttons:
    entries = (Button(order_label(order), path_to("order", order.pk)) for order in page.items)
    return (
        *rows(entries),
        turn_pages(page, lambda number: path_to("orders", number), path_to("menu")),
    )


STATUS_MARKS = {"pending": "⏳", "paid": "✅", "expired": "⌛", "cancelled": "✖️"}


def order_label(order: Order) -> str:
    names = ", ".join(item.product_name for item in order.items.all())
    return shorten(f"{STATUS_MARKS[order.status]} {order.invoice_id} · {names}", LABEL_UNITS)


def expired() -> Buttons:
    """An expired invoice has one way on."""
    return ((Button(_("Back"), path_to("menu")),),)


def languages(codes: Iterable[tuple[str, str]]) -> Buttons:
    return (
        *rows(Button(name, path_to("choose_language", code)) for code, name in codes),
        (to_menu(),),
    )


def without_voucher(product_id: int, quantity: int) -> Buttons:
    return ((Button(_("BACK"), path_to("summary", product_id, quantity)), to_menu()),)


def back_to_product(product_id: int) -> Buttons:
    return ((Button(_("BACK"), path_to("product", product_id)), to_menu()),)


def back_to_order(order: Order) -> Button:
    return Button(_("BACK"), path_to("order", order.pk))


def back_to_orders() -> Buttons:
    return ((Button(_("BACK"), path_to("orders", 1)), to_menu()),)


def paid_order(order: Order, *, has_files: bool) -> Buttons:
    if not has_files:
        return back_to_orders()
    show = Button(_("📦 Show the goods"), path_to("goods", order.pk))
    return ((show,), *back_to_orders())


def preparing(order: Order) -> Buttons:
    status = Button(_("Payment status"), path_to("payment_status", order.pk))
    return ((status, cancel_order(order)),)


def open_orders(orders: Iterable[Order]) -> Buttons:
    entries = (Button(order_label(order), path_to("order", order.pk)) for order in orders)
    return (*rows(entries), (to_menu(),))


def confirm_order_balance(order: Order) -> Button:
    return Button(_("Yes"), path_to("pay_order", order.pk))
