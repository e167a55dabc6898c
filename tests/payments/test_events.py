"""What a webhook says is compared with transaction-status in every part that names a payment."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from accounts.models import LedgerEntry
from catalog.models import StockState
from orders.models import OrderStatus
from payments.gateways.base import TransactionStatus
from payments.gateways.pakasir import PakasirGateway
from payments.models import GatewayEvent, PaymentStatus
from tests.bank import Bank
from tests.payments.steps import (
    SECRET,
    WEBHOOK,
    body_of,
    handle_events,
    kinds,
    opened,
    paid,
    status_of,
    uncreate,
)
from tests.world import World

UNPAID = (OrderStatus.PENDING, PaymentStatus.PENDING)


def post(body: str) -> None:
    answer = Client().generic(
        "POST", WEBHOOK, body, content_type="application/json", HTTP_X_SECRET=SECRET
    )
    assert answer.status_code == 200


def answer_about_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let transaction-status answer about another transaction than it is asked about."""
    real = PakasirGateway.status

    def status(gateway: PakasirGateway, txn_id: str) -> TransactionStatus:
        return replace(real(gateway, txn_id), txn_id="TXN-ANOTHER")

    monkeypatch.setattr(PakasirGateway, "status", status)


@pytest.mark.parametrize(
    "said", [{"is_sandbox": True}, {"order_id": "QC-ANOTHER-ORDER"}, {"amount": 50_001}], ids=str
)
def test_a_call_that_differs_in_one_part_changes_nothing(
    world: World, bank: Bank, said: dict[str, Any]
) -> None:
    customer, product = world.customer(), world.product()
    payment = opened(world, customer, product)
    paid(bank, payment)
    post(body_of(payment, **said))
    handle_events(world)
    assert status_of(payment) == UNPAID
    assert product.stock.filter(state=StockState.SOLD).count() == 0
    assert not LedgerEntry.objects.exists()
    assert kinds(customer.pk) == ["payment_qr"]
    assert "differs" in GatewayEvent.objects.get().error


def test_an_answer_about_another_transaction_changes_nothing(
    world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = opened(world, world.customer(), world.product())
    paid(bank, payment)
    post(body_of(payment))
    answer_about_another(monkeypatch)
    handle_events(world)
    assert status_of(payment) == UNPAID
    assert "differs" in GatewayEvent.objects.get().error


def test_an_answer_about_another_transaction_is_not_adopted(
    world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = opened(world, world.customer(), world.product())
    paid(bank, payment)
    body = body_of(payment)
    uncreate(payment, txn_id=None)
    post(body)
    answer_about_another(monkeypatch)
    handle_events(world)
    assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.CREATING)
    assert payment.txn_id is None


def test_an_event_without_an_answer_stays_open_and_is_settled_at_the_next_try(
    world: World, bank: Bank
) -> None:
    payment = opened(world, world.customer(), world.product())
    bank.pay(payment)
    bank.fail("status", "500", times=100)
    handle_events(world)
    bank.recover()
    event = GatewayEvent.objects.get()
    assert status_of(payment) == UNPAID
    assert (event.handled_at, event.error) == (None, "")
    assert event.next_try_at > world.now
    world.now = event.next_try_at
    handle_events(world)
    assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)
    assert GatewayEvent.objects.get().handled_at == world.now
