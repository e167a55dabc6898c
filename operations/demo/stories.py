"""How a visit to the checkout goes, told through the services (see timeline.Story)."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from accounts.models import Customer
from catalog.models import Product
from core.models import store_settings
from core.money import ZERO
from operations.demo.bank import DemoBank
from operations.demo.funding import provide
from operations.demo.plan import Fate, Visit
from operations.demo.timeline import Story
from orders.errors import VoucherRefused
from orders.models import Voucher
from orders.services.fulfilment import mark_delivered
from orders.services.quotes import Quote, price_order
from orders.services.vouchers import find_voucher
from payments.models import GatewayEvent, Payment
from payments.services.cancel import cancel_order
from payments.services.check import tend_payment
from payments.services.checkout import Checkout, buy_with_balance, buy_with_qris, take_for_free
from payments.services.events import handle_event, receive_event
from payments.services.expiry import expire_order
from payments.services.opening import open_payment
from payments.services.settle import settle

SECOND = timedelta(seconds=1)
Opening = Generator[datetime, None, Payment]


@dataclass(frozen=True)
class Stage:
    """What every story needs; what the bank called about before `webhooks_from` is not kept."""

    bank: DemoBank
    products: Mapping[int, Product]
    webhooks_from: datetime


def purchase(visit: Visit, stage: Stage) -> Story:
    """Tell a visit by its fate; what QRIS cannot collect is free or paid from the balance."""
    quote = _quote(visit, stage)
    checkout = _checkout(visit, quote)
    if quote.total == ZERO:
        _take(checkout, visit.at)
    elif quote.can_use_qris:
        yield from _TOLD[visit.fate](visit, checkout, stage)
    else:
        yield from _paid_by_balance(visit, checkout, stage)


def _take(checkout: Checkout, now: datetime) -> None:
    order = take_for_free(checkout=checkout, now=now)
    mark_delivered(order_id=order.pk, now=now + 2 * SECOND)


def _paid_by_balance(visit: Visit, checkout: Checkout, stage: Stage) -> Story:
    at = yield from provide(visit.customer_id, checkout.total, stage.bank, visit.at)
    order = buy_with_balance(checkout=checkout, now=at)
    mark_delivered(order_id=order.pk, now=at + 2 * SECOND)


def _paid_by_qris(visit: Visit, checkout: Checkout, stage: Stage) -> Story:
    payment = yield from _opened(checkout, visit.at)
    yield from _pay(visit, stage, payment, visit.at + timedelta(seconds=visit.seconds))


def _expired(visit: Visit, checkout: Checkout, _stage: Stage) -> Story:
    payment = yield from _opened(checkout, visit.at)
    yield from _expire(payment)


def _cancelled(visit: Visit, checkout: Checkout, _stage: Stage) -> Story:
    payment = yield from _opened(checkout, visit.at)
    changed_mind_at = visit.at + timedelta(seconds=visit.seconds)
    yield changed_mind_at
    cancel_order(order_id=_order_id(payment), customer_id=visit.customer_id, now=changed_mind_at)
    tend_payment(payment_id=payment.pk, now=changed_mind_at + 3 * SECOND)
    tend_payment(payment_id=payment.pk, now=changed_mind_at + 8 * SECOND)


def _paid_late(visit: Visit, checkout: Checkout, stage: Stage) -> Story:
    payment = yield from _opened(checkout, visit.at)
    yield from _expire(payment)
    yield from _pay(visit, stage, payment, visit.at + timedelta(seconds=visit.seconds))


def _paid_twice(visit: Visit, checkout: Checkout, stage: Stage) -> Story:
    """The customer pays the QR in the very moment in which the balance has paid the order."""
    at = yield from provide(visit.customer_id, checkout.total, stage.bank, visit.at)
    payment = yield from _opened(checkout, at)
    at += timedelta(seconds=visit.seconds)
    yield at
    order = buy_with_balance(checkout=checkout, now=at)
    mark_delivered(order_id=order.pk, now=at + 2 * SECOND)
    stage.bank.pay(stage.bank.txn_of(payment.reference), at=at + SECOND)
    tend_payment(payment_id=payment.pk, now=at + 3 * SECOND)
    tend_payment(payment_id=payment.pk, now=at + 8 * SECOND)


def _paid_otherwise(visit: Visit, checkout: Checkout, stage: Stage) -> Story:
    """Another amount than ours arrives: credited, the order stays unpaid, staff have a case."""
    payment = yield from _opened(checkout, visit.at)
    at = visit.at + timedelta(seconds=visit.seconds)
    yield from _pay(visit, stage, payment, at, amount=payment.amount - 1_000)
    yield from _expire(payment)


def _opened(checkout: Checkout, at: datetime) -> Opening:
    """Place the order and let the bank make its QR."""
    payment = buy_with_qris(
        checkout=checkout, chat_id=checkout.customer_id, message_id=None, now=at
    )
    open_payment(payment_id=payment.pk, now=at + SECOND)
    yield at + 2 * SECOND
    return payment


def _pay(
    visit: Visit, stage: Stage, payment: Payment, at: datetime, amount: Decimal | None = None
) -> Story:
    """Let the money arrive; a webhook tells of it, or is lost and the poller finds out."""
    yield at
    txn_id = stage.bank.txn_of(payment.reference)
    event = stage.bank.pay(txn_id, at=at, amount=amount)
    known_at = at + SECOND
    if visit.loses_webhook:
        known_at = at + 20 * SECOND
        yield known_at
        tend_payment(payment_id=payment.pk, now=known_at)
    elif at < stage.webhooks_from:
        settle(payment_id=payment.pk, told=stage.bank.status(txn_id), now=known_at)
    else:
        receive_event(gateway=stage.bank.name, event=event, now=at)
        row = GatewayEvent.objects.get(txn_id=event.txn_id, status=event.status)
        handle_event(event_id=row.pk, now=known_at)
    mark_delivered(order_id=_order_id(payment), now=known_at + 2 * SECOND)


def _expire(payment: Payment) -> Story:
    """Do what the sweep does when the time is over: ask, cancel, ask again, expire."""
    at = payment.expires_at + store_settings().expiry_grace
    for wait in (0, 5, 6):
        yield at + wait * SECOND
        if expire_order(order_id=_order_id(payment), now=at + wait * SECOND):
            return


def _order_id(payment: Payment) -> int:
    if payment.order_id is None:
        raise ValueError(payment)
    return payment.order_id


_TOLD: dict[Fate, Callable[[Visit, Checkout, Stage], Story]] = {
    Fate.QRIS: _paid_by_qris,
    Fate.BALANCE: _paid_by_balance,
    Fate.EXPIRED: _expired,
    Fate.CANCELLED: _cancelled,
    Fate.LATE: _paid_late,
    Fate.TWICE: _paid_twice,
    Fate.OTHER_AMOUNT: _paid_otherwise,
}


def _checkout(visit: Visit, quote: Quote) -> Checkout:
    return Checkout(
        customer_id=visit.customer_id,
        key=f"demo-{visit.at:%y%m%d%H%M%S}",
        product_id=quote.product.pk,
        quantity=quote.quantity,
        total=quote.total,
        voucher_id=quote.voucher.pk if quote.voucher else None,
    )


def _quote(visit: Visit, stage: Stage) -> Quote:
    customer = Customer.objects.get(pk=visit.customer_id)
    product = stage.products[visit.number]
    plain = price_order(
        customer=customer,
        product=product,
        quantity=visit.quantity,
        voucher_id=None,
        now=visit.at,
    )
    voucher = _voucher(visit, customer, plain.subtotal) if visit.voucher else None
    if voucher is None:
        return plain
    return price_order(
        customer=customer,
        product=product,
        quantity=visit.quantity,
        voucher_id=voucher.pk,
        now=visit.at,
    )


def _voucher(visit: Visit, customer: Customer, subtotal: Decimal) -> Voucher | None:
    """Return the visit's voucher, or None where it does not work: then they buy without."""
    try:
        return find_voucher(customer=customer, code=visit.voucher, subtotal=subtotal, now=visit.at)
    except VoucherRefused:
        return None
