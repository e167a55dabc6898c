"""What a button's data may be: Django resolves it like the path of a request."""

from collections.abc import Callable
from typing import Any, cast

from django.urls import URLPattern
from django.urls import path as django_path

from telegram_bot.paths import register_converters
from telegram_bot.screens import Screen
from telegram_bot.views import catalog, checkout, deposits, language, menu, orders
from telegram_bot.views import help as help_pages

register_converters()


def path(route: str, view: Callable[..., Screen], name: str) -> URLPattern:
    """Route a button: our views answer with a Screen, where Django expects an HttpResponse."""
    pattern: URLPattern = django_path(route, cast("Any", view), name=name)
    return pattern


urlpatterns = [
    path("menu", menu.menu, name="menu"),
    path("menu/new", menu.new_menu, name="new_menu"),
    path("categories/<small:page>", catalog.categories, name="categories"),
    path("category/<id:category_id>/<small:page>", catalog.category, name="category"),
    path("best/<small:page>", catalog.best_sellers, name="best_sellers"),
    path("buyers", catalog.top_buyers, name="top_buyers"),
    path("products/<small:page>", catalog.products, name="products"),
    path("stock/<small:page>", catalog.stock, name="stock"),
    path("product/<id:product_id>", catalog.product, name="product"),
    path("product/<id:product_id>/<small:quantity>", catalog.product, name="product"),
    path("summary/<id:product_id>/<small:quantity>", checkout.summary, name="summary"),
    path(
        "summary/<id:product_id>/<small:quantity>/<id:voucher_id>",
        checkout.summary,
        name="summary",
    ),
    path("voucher/<id:product_id>/<small:quantity>", checkout.ask_voucher, name="voucher"),
    path("qris/<terms:terms>", checkout.pay_by_qris, name="qris"),
    path("balance/<terms:terms>", checkout.confirm_balance, name="balance"),
    path("pay/<terms:terms>", checkout.pay_from_balance, name="pay"),
    path("take/<terms:terms>", checkout.take_for_free, name="take"),
    path("orders/<small:page>", orders.history, name="orders"),
    path("order/<id:order_id>", orders.order, name="order"),
    path("order/<id:order_id>/goods", orders.goods, name="goods"),
    path("order/<id:order_id>/status", orders.payment_status, name="payment_status"),
    path("order/<id:order_id>/cancel", orders.cancel, name="cancel_order"),
    path("order/<id:order_id>/balance", orders.confirm_balance, name="order_balance"),
    path("order/<id:order_id>/pay", orders.pay_from_balance, name="pay_order"),
    path("order/<id:order_id>/retry", orders.retry, name="retry_payment"),
    path("deposit/<back:back>", deposits.deposit, name="deposit"),
    path("deposit/<back:back>/other", deposits.ask_amount, name="deposit_other"),
    path("deposit/<back:back>/<id:amount>/<key:key>", deposits.start, name="start_deposit"),
    path("deposit/<id:payment_id>", deposits.show, name="show_deposit"),
    path("deposit/<id:payment_id>/status", deposits.payment_status, name="deposit_status"),
    path("deposit/<id:payment_id>/cancel", deposits.cancel, name="cancel_deposit"),
    path("deposit/<id:payment_id>/retry", deposits.retry, name="retry_deposit"),
    path("help", help_pages.help_page, name="help"),
    path("language", language.languages, name="languages"),
    path("language/<slug:code>", language.choose, name="choose_language"),
]
