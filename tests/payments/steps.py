"""What the tests of payments do again and again: open, pay, let time and the sweep pass, look."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Customer
from catalog.models import Product
from core.models import OutboxMessage
from payments.gateways import get_gateway
from payments.gateways.base import TransactionStatus
from payments.gateways.pakasir import PakasirGateway
from payments.models import GatewayEvent, Payment, PaymentStatus
from payments.services.check import tend_payment
from payments.services.checkout import retry_qris
from payments.services.events import handle_event
from payments.services.expiry import due_orders, expire_order
from payments.services.opening import open_payment
from tests.bank import Bank
from tests.unguarded import unguarded
from tests.world import World

WEBHOOK = "/webhooks/pakasir/"
SECRET = "sandbox-webhook-secret"


def opened(world: World, customer: Customer, product: Product, **checkout) -> Payment:
    payment = world.qris(customer, product, **checkout)
    open_payment(payment_id=payment.pk, now=world.now)
    payment.refresh_from_db()
    return payment


def failed(world: World, payment: Payment) -> Payment:
    """Let a payment have failed, though its transaction exists and can be paid."""
    Payment.objects.filter(pk=payment.pk).update(status=PaymentStatus.FAILED, ended_at=world.now)
    payment.refresh_from_db()
    return payment


def uncreate(payment: Payment, **fields: Any) -> None:
    """Let a payment be as it was before the gateway's answer, which no service could do."""
    with unguarded():
        rows = Payment.objects.filter(pk=payment.pk)
        rows.update(status=PaymentStatus.CREATING, **fields)


def retried(world: World, payment: Payment) -> Payment:
    """Press "try again" under a payment that failed; return the payment that follows, opened."""
    following = retry_qris(
        order_id=payment.order_id,
        customer_id=payment.customer_id,
        chat_id=payment.customer_id,
        message_id=None,
        now=world.now,
    )
    open_payment(payment_id=following.pk, now=world.now)
    following.refresh_from_db()
    return following


def paid(bank: Bank, payment: Payment) -> TransactionStatus:
    """Pay, lose the webhook, and return what transaction-status says then."""
    bank.pay(payment, webhook="drop")
    return get_gateway().status(payment.txn_id)


def body_of(payment: Payment, **changes: Any) -> str:
    """Return a webhook's body as the gateway sends it when a payment is completed."""
    body = {
        "txn_id": payment.txn_id,
        "order_id": payment.reference,
        "amount": int(payment.amount),
        "is_sandbox": False,
        "status": "completed",
        "completed_at": "2026-11-22T00:00:00Z",
    }
    return json.dumps(body | changes)


def handle_events(world: World) -> None:
    for event in GatewayEvent.objects.filter(handled_at=None):
        handle_event(event_id=event.pk, now=world.now)


def expire(world: World) -> None:
    """Let the sweep pass as often as it needs."""
    for _ in range(4):
        for pk in due_orders(now=world.now, limit=10):
            expire_order(order_id=pk, now=world.now)
        world.later(seconds=5)


def tend(world: World) -> None:
    """Do what is due for payments now, as the sweep does."""
    for payment in Payment.objects.due_for_check(world.now):
        tend_payment(payment_id=payment.pk, now=world.now)


def kinds(recipient: int | None) -> list[str]:
    rows = OutboxMessage.objects.filter(recipient=recipient).order_by("pk")
    return list(rows.values_list("kind", flat=True))


def status_of(payment: Payment) -> tuple[str, str]:
    """Return the order's and the payment's status as the database has them."""
    payment.refresh_from_db()
    assert payment.order is not None
    payment.order.refresh_from_db()
    return payment.order.status, payment.status


def at_the_gateway(bank: Bank, payment: Payment) -> str:
    """Return how the payment's transaction stands there; it spells cancelled `canceled`."""
    payment.refresh_from_db()
    return next(t["status"] for t in bank.transactions() if t["txn_id"] == payment.txn_id)


def meanwhile(monkeypatch: pytest.MonkeyPatch, call: str, act: Callable[[], Any]) -> None:
    """Let `act` happen after the gateway did what the next `call` asks, before its answer."""
    real = getattr(PakasirGateway, call)

    def answer(gateway: PakasirGateway, *asked: Any, **named: Any) -> Any:
        monkeypatch.setattr(PakasirGateway, call, real)
        try:
            return real(gateway, *asked, **named)
        finally:
            act()

    monkeypatch.setattr(PakasirGateway, call, answer)
