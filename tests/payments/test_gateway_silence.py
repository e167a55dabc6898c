"""A gateway that does not answer is noticed once by all, and left alone for a moment."""

from datetime import timedelta
from typing import Any

import pytest

from payments.gateways.base import Gateway, GatewayRefused, GatewayUnavailable
from payments.models import Payment
from payments.services.expiry import due_orders, expire_order
from payments.services.health import PAUSE, call_gateway, gateway_is_down
from payments.services.opening import open_payment
from tests.bank import Bank
from tests.world import World


def silent(_gateway: Gateway) -> Any:
    raise GatewayUnavailable("timeout")


def refusing(_gateway: Gateway) -> Any:
    raise GatewayRefused(status_code=400, message="no")


def test_after_two_calls_without_an_answer_nobody_calls_for_a_moment(world: World) -> None:
    calls = []
    with pytest.raises(GatewayUnavailable):
        call_gateway("pakasir", silent, now=world.now)
    call_gateway("pakasir", calls.append, now=world.now)
    assert len(calls) == 1, "one lost answer is nobody else's trouble"
    for _ in range(2):
        with pytest.raises(GatewayUnavailable):
            call_gateway("pakasir", silent, now=world.now)
    with pytest.raises(GatewayUnavailable):
        call_gateway("pakasir", calls.append, now=world.now + PAUSE - timedelta(seconds=1))
    assert len(calls) == 1
    call_gateway("pakasir", calls.append, now=world.now + PAUSE + timedelta(seconds=1))
    assert len(calls) == 2


def test_a_silence_is_told_until_an_answer_comes_or_it_is_old_news(world: World) -> None:
    assert not gateway_is_down(now=world.now)
    with pytest.raises(GatewayUnavailable):
        call_gateway("pakasir", silent, now=world.now)
    assert gateway_is_down(now=world.later(seconds=10))
    assert not gateway_is_down(now=world.now + timedelta(minutes=3))
    call_gateway("pakasir", lambda _gateway: None, now=world.now)
    assert not gateway_is_down(now=world.now)


def test_a_refusal_is_an_answer(world: World) -> None:
    with pytest.raises(GatewayUnavailable):
        call_gateway("pakasir", silent, now=world.now)
    with pytest.raises(GatewayRefused):
        call_gateway("pakasir", refusing, now=world.later(seconds=10))
    assert not gateway_is_down(now=world.now)


def test_many_due_orders_cost_a_silent_gateway_few_calls(world: World, bank: Bank) -> None:
    product = world.product(stock=20)
    for _ in range(12):
        open_payment(payment_id=world.qris(world.customer(), product).pk, now=world.now)
    bank.fail("status", "500", times=100)
    world.later(minutes=11)
    for pk in due_orders(now=world.now, limit=50):
        expire_order(order_id=pk, now=world.now)
    assert bank.faults_used() == [2]
    world.later(minutes=5)
    for pk in due_orders(now=world.now, limit=50):
        expire_order(order_id=pk, now=world.now)
    assert bank.faults_used() == [3]
    assert product.stock.available().count() == 20
    assert not Payment.objects.open().exists()
