"""Carries out the planned purchases through the services, with a travelling clock."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from django.db import transaction

from accounts.models import Customer, LedgerKind
from accounts.services.balance import post_entry
from catalog.models import Product
from core.models import OutboxMessage, OutboxState, store_settings
from core.money import ZERO
from operations.demo.assortment import ACTOR
from operations.demo.people import Buyer
from operations.demo.plan import Fate, Purchase
from operations.demo.vouchers import CODES
from orders.errors import VoucherRefused
from orders.models import Order, Voucher
from orders.services.fulfilment import mark_delivered
from orders.services.quotes import Quote, price_order
from orders.services.vouchers import find_voucher
from payments.services.cancel import cancel_order
from payments.services.checkout import (
    Checkout,
    buy_with_balance,
    buy_with_qris,
    take_for_free,
)
from payments.services.expiry import expire_order

TOP_UP_STEP = Decimal(50_000)
KEY_PREFIX = "seed_demo:"
"""Ledger keys of the demo; ledger rows are never deleted, so they tell that it was seeded."""


@transaction.atomic
def carry_out(purchases: Iterable[Purchase], products: Mapping[int, Product]) -> None:
    for purchase in purchases:
        drop_messages(order=_buy(purchase, products[purchase.number]))


def drop_messages(*, order: Order) -> None:
    """Let none of the order's messages be sent: its people were told in the past.

    In the transaction that wrote them, so that no deliverer ever sees them waiting.
    """
    OutboxMessage.objects.pending().filter(references__order_id=order.pk).update(
        state=OutboxState.DROPPED
    )


def top_up_to(*, buyer: Buyer, now: datetime) -> None:
    """Bring a persona's balance to what it is meant to have."""
    customer = Customer.objects.get(pk=buyer.id)
    missing = Decimal(buyer.balance) - customer.account_balance
    if missing > ZERO:
        _transfer(buyer.id, missing, key="persona", now=now)


def _buy(purchase: Purchase, product: Product) -> Order:
    customer = Customer.objects.get(pk=purchase.customer_id)
    quote = _quote(purchase, customer, product)
    checkout = Checkout(
        customer_id=customer.pk,
        key=_key(purchase),
        product_id=product.pk,
        quantity=purchase.quantity,
        total=quote.total,
        voucher_id=quote.voucher.pk if quote.voucher else None,
    )
    if purchase.fate != Fate.PAID and quote.can_use_qris:
        return _leave_unpaid(checkout, purchase)
    return _pay(checkout, customer, purchase.at)


def _key(purchase: Purchase) -> str:
    return f"demo-{purchase.at:%y%m%d%H%M}"


def _quote(purchase: Purchase, customer: Customer, product: Product) -> Quote:
    quote = price_order(
        customer=customer,
        product=product,
        quantity=purchase.quantity,
        voucher_id=None,
        now=purchase.at,
    )
    voucher = _voucher(purchase, customer, quote.subtotal) if purchase.has_voucher else None
    if voucher is None:
        return quote
    return price_order(
        customer=customer,
        product=product,
        quantity=purchase.quantity,
        voucher_id=voucher.pk,
        now=purchase.at,
    )


def _voucher(purchase: Purchase, customer: Customer, subtotal: Decimal) -> Voucher | None:
    """Return the first code that works for this customer at that time."""
    for code in CODES:
        try:
            return find_voucher(customer=customer, code=code, subtotal=subtotal, now=purchase.at)
        except VoucherRefused:
            continue
    return None


def _pay(checkout: Checkout, customer: Customer, at: datetime) -> Order:
    if checkout.total == ZERO:
        order = take_for_free(checkout=checkout, now=at)
    else:
        _provide(customer, checkout.total, at - timedelta(seconds=30))
        order = buy_with_balance(checkout=checkout, now=at)
    mark_delivered(order_id=order.pk, now=at + timedelta(seconds=2))
    return order


def _provide(customer: Customer, needed: Decimal, at: datetime) -> None:
    missing = needed - customer.account_balance
    if missing <= ZERO:
        return
    steps = (missing / TOP_UP_STEP).to_integral_value(rounding=ROUND_CEILING)
    _transfer(customer.pk, steps * TOP_UP_STEP, key=f"{at:%y%m%d%H%M%S}", now=at)


def _transfer(customer_id: int, amount: Decimal, *, key: str, now: datetime) -> None:
    post_entry(
        customer_id=customer_id,
        amount=amount,
        kind=LedgerKind.TRANSFER,
        reference="",
        idempotency_key=f"{KEY_PREFIX}{customer_id}:{key}",
        actor=ACTOR,
        now=now,
    )


def _leave_unpaid(checkout: Checkout, purchase: Purchase) -> Order:
    """Begin a QRIS payment and end it, unpaid, before the gateway is ever asked for it."""
    payment = buy_with_qris(
        checkout=checkout, chat_id=checkout.customer_id, message_id=None, now=purchase.at
    )
    order = Order.objects.get(payments=payment)
    if purchase.fate == Fate.CANCELLED:
        changed_mind_at = purchase.at + timedelta(minutes=2)
        return cancel_order(order_id=order.pk, customer_id=order.customer_id, now=changed_mind_at)
    expire_order(order_id=order.pk, now=order.expires_at + store_settings().expiry_grace)
    return order
