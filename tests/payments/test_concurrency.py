"""Real threads on real PostgreSQL. Each lock has a control: the same run with only it removed."""

from collections import Counter
from typing import Any

import pytest
from django.db import IntegrityError

from accounts.models import Customer, CustomerQuerySet, LedgerEntry
from catalog.errors import OutOfStock
from catalog.models import StockItem, StockItemQuerySet, StockState
from core.errors import DomainError
from core.models import OutboxMessage
from orders.models import Order, OrderQuerySet
from payments.gateways import get_gateway
from payments.models import GatewayEvent, PaymentQuerySet
from payments.services.cancel import cancel_order
from payments.services.check import check_payment, tend_payment
from payments.services.checkout import buy_with_balance, buy_with_qris
from payments.services.events import handle_event
from payments.services.opening import open_payment
from payments.services.settle import apply_completion, record_completion
from tests.bank import Bank
from tests.concurrency import at_once, unlocked
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "audit"])


def buyers(world: World, count: int, stock: int, quantity: int) -> list[Any]:
    """Let `count` customers place an order each at the same moment."""
    product = world.product(stock=stock)
    checkouts = [
        world.checkout(world.customer(), product, quantity=quantity) for _ in range(count)
    ]
    return at_once(
        [
            lambda checkout=checkout: buy_with_qris(
                checkout=checkout, chat_id=1, message_id=None, now=world.now
            )
            for checkout in checkouts
        ]
    )


@pytest.mark.parametrize(("quantity", "sold", "left"), [(1, 10, 0), (3, 3, 1)])
def test_thirty_buyers_of_ten_items(
    committed_world: World, quantity: int, sold: int, left: int
) -> None:
    results = buyers(committed_world, 30, 10, quantity)
    refused = [result for result in results if isinstance(result, DomainError)]
    assert {type(refusal) for refusal in refused} == {OutOfStock}
    assert (len(results) - len(refused), len(refused)) == (sold, 30 - sold)
    assert Order.objects.count() == sold
    states = Counter(StockItem.objects.values_list("state", flat=True))
    assert states == Counter({StockState.RESERVED: 10 - left, StockState.AVAILABLE: left})


def test_control_without_the_stock_lock_items_are_promised_twice(
    committed_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StockItemQuerySet, "lock", unlocked)
    results = buyers(committed_world, 30, 10, 1)
    promised = sum(not isinstance(result, DomainError) for result in results)
    assert promised > 10, "the test above would not notice a missing lock"


def spend(world: World, times: int) -> tuple[Customer, list[Any]]:
    """Let one customer, who can pay once, buy `times` different things at the same moment."""
    customer, product = world.customer(balance=50_000), world.product(stock=30)
    checkouts = [world.checkout(customer, product) for _ in range(times)]
    results = at_once(
        [lambda each=each: buy_with_balance(checkout=each, now=world.now) for each in checkouts]
    )
    customer.refresh_from_db()
    return customer, results


def test_one_balance_is_spent_once(committed_world: World) -> None:
    customer, results = spend(committed_world, 10)
    assert sum(isinstance(result, Order) for result in results) == 1
    assert customer.account_balance == 0
    assert LedgerEntry.objects.filter(kind="purchase").count() == 1


def test_control_without_the_customer_lock_a_balance_is_spent_twice(
    committed_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CustomerQuerySet, "lock", unlocked)
    customer, results = spend(committed_world, 10)
    assert sum(isinstance(result, Order) for result in results) > 1
    assert customer.account_balance == 0  # each saw the whole balance: goods given for nothing


def test_a_double_tap_is_one_order(committed_world: World) -> None:
    world = committed_world
    customer, product = world.customer(balance=500_000), world.product()
    checkout = world.checkout(customer, product)
    results = at_once([lambda: buy_with_balance(checkout=checkout, now=world.now)] * 8)
    assert {result.pk for result in results} == {Order.objects.get().pk}
    customer.refresh_from_db()
    assert customer.account_balance == 450_000


def settle_from_everywhere(world: World, bank: Bank, stock: int = 3) -> Order:
    """Pay once; then 20 webhook jobs, the status button and the poller come at the same moment."""
    customer, product = world.customer(), world.product(stock=stock)
    payment = world.qris(customer, product)
    open_payment(payment_id=payment.pk, now=world.now)
    bank.pay(payment)
    event = GatewayEvent.objects.get()
    moments = [world.later(seconds=5) for _ in range(22)]
    webhooks = [lambda now=now: handle_event(event_id=event.pk, now=now) for now in moments[:20]]
    button = lambda: check_payment(payment_id=payment.pk, now=moments[20])  # noqa: E731
    poller = lambda: tend_payment(payment_id=payment.pk, now=moments[21])  # noqa: E731
    at_once([*webhooks, button, poller])
    return Order.objects.get()


def test_the_same_webhook_twenty_times_with_button_and_poller_settles_once(
    committed_world: World, bank: Bank
) -> None:
    order = settle_from_everywhere(committed_world, bank)
    assert order.status == "paid"
    assert StockItem.objects.filter(state=StockState.SOLD).count() == 1
    assert OutboxMessage.objects.filter(kind="order_delivered").count() == 1
    assert not LedgerEntry.objects.exists()


def settle_late_money(world: World, bank: Bank) -> tuple[int, int]:
    """Settle one late payment from 10 threads at the same moment.

    Return how many items it took and how often a constraint had to stop a second settlement.
    """
    customer, product = world.customer(), world.product(stock=20)
    payment = world.qris(customer, product)
    open_payment(payment_id=payment.pk, now=world.now)
    cancel_order(order_id=payment.order_id, customer_id=customer.pk, now=world.now)
    bank.pay(payment, webhook="drop")
    told = get_gateway().status(payment.txn_id)
    record_completion(payment_id=payment.pk, told=told, now=world.now)
    results = at_once([lambda: apply_completion(payment_id=payment.pk, now=world.now)] * 10)
    stopped = sum(isinstance(result, IntegrityError) for result in results)
    return StockItem.objects.filter(product=product, state=StockState.SOLD).count(), stopped


def test_late_money_takes_its_goods_once(committed_world: World, bank: Bank) -> None:
    assert settle_late_money(committed_world, bank) == (1, 0)


def test_control_without_locks_late_money_takes_its_goods_twice(
    committed_world: World, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    for queryset in (CustomerQuerySet, OrderQuerySet, PaymentQuerySet):
        monkeypatch.setattr(queryset, "lock", unlocked)
    results = [settle_late_money(committed_world, bank) for _ in range(3)]
    assert any(result != (1, 0) for result in results), "the test above would not notice"


def test_buyers_and_an_import_do_not_block_or_deadlock(committed_world: World) -> None:
    world = committed_world
    product = world.product(stock=20)
    checkouts = [world.checkout(world.customer(), product, quantity=2) for _ in range(10)]
    buying = [
        lambda each=each: buy_with_qris(checkout=each, chat_id=1, message_id=None, now=world.now)
        for each in checkouts
    ]
    importing = [
        lambda n=n: world.fill(product, [f"new{n}-{i}" for i in range(50)]) for n in range(4)
    ]
    results = at_once([*buying, *importing])
    assert not [result for result in results if isinstance(result, DomainError)]
    states = Counter(StockItem.objects.values_list("state", flat=True))
    assert states == Counter({StockState.RESERVED: 20, StockState.AVAILABLE: 200})
