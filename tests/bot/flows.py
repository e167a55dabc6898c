"""What the flow tests do again and again."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from catalog.models import Product
from orders.models import Order
from orders.services.refund_quotes import quote_refund
from orders.services.refunds import refund_to_balance
from payments.models import Payment
from payments.services.check import check_payment
from telegram_bot.shortcuts import path_to
from tests.bot.harness import BotHarness, Chat
from tests.world import World


def settle_stand_ins(settings: Any) -> None:
    """Make the gateway's stand-in patient, and silent about languages.

    It answers on the test's thread; in life it is another process, with a language of its own.
    """
    settings.SANDBOX_PAKASIR_LIMITS = False
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "locale" not in name]


def open_summary(chat: Chat, product: Product, quantity: int = 1) -> None:
    chat.send(str(product.number))
    chat.press_path(path_to("product", product.pk, quantity))
    chat.press("Lanjut ke pembayaran")


def pay(shop_bot: BotHarness, payment: Payment, **options: Any) -> None:
    """Pay, lose the webhook, and let the poller find out an hour later."""
    shop_bot.pay(payment, webhook=False, **options)
    check_payment(payment_id=payment.pk, now=timezone.now() + timedelta(hours=1))
    shop_bot.deliver()


def buy_from_balance(
    shop_bot: BotHarness, chat: Chat, product: Product, quantity: int = 1
) -> None:
    open_summary(chat, product, quantity)
    chat.press("SALDO")
    chat.press("Ya")
    shop_bot.deliver()


def path_of(chat: Chat, label: str) -> str:
    """Return the path of a button of the newest message, to press it later."""
    return next(button.path for button in chat.last.buttons if button.text == label)


def refund(order: Order, world: World) -> None:
    """Give back to the balance what the quote of the order's item says."""
    quote = quote_refund(order_item_id=order.items.get().pk, now=world.now)
    by = {"actor": "staff:1", "source": "x", "now": world.now}
    refund_to_balance(request=quote.request, **by)
