"""A customer who lets one order after another expire has to wait before the next QRIS order."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from accounts.models import Customer, CustomerQuerySet
from catalog.models import Product
from core.models import StoreSettings
from orders.errors import OrderingPaused
from orders.models import Order, OrderStatus, PaymentMethod
from orders.services.fulfilment import end_order
from orders.services.placing import place_order
from payments.services.checkout import retry_qris, take_for_free
from tests.concurrency import overlap, unlocked
from tests.world import World


def place(world: World, customer: Customer, product: Product) -> Order:
    return place_order(
        checkout=world.checkout(customer, product), method=PaymentMethod.QRIS, now=world.now
    )[0]


def expire(world: World, customer: Customer, product: Product, *minutes: float) -> datetime:
    """Let orders expire so many minutes after the world's beginning; return when the last did."""
    begin, placed_at = world.now, world.now - timedelta(days=1)
    for minute in minutes:
        world.now = placed_at
        order = place(world, customer, product)
        world.now = begin + timedelta(minutes=minute)
        end_order(order=order, status=OrderStatus.EXPIRED, now=world.now)
    return world.now


def refused(world: World, customer: Customer, product: Product) -> datetime:
    """Assert that no order can be placed and that nothing is stored; return until when."""
    before = (Order.objects.count(), product.stock.available().count())
    with pytest.raises(OrderingPaused) as refusal:
        place(world, customer, product)
    assert (Order.objects.count(), product.stock.available().count()) == before
    return refusal.value.until


@pytest.fixture
def sari(world: World) -> Customer:
    return world.customer()


@pytest.fixture
def product(world: World) -> Product:
    return world.product()


@pytest.mark.parametrize("minutes", [(0, 20, 60), (0, 1, 2)])
def test_three_expiries_within_an_hour_pause_for_fifteen_minutes_from_the_last(
    world: World, sari: Customer, product: Product, minutes: tuple[float, ...]
) -> None:
    last = expire(world, sari, product, *minutes)
    assert refused(world, sari, product) == last + timedelta(minutes=15)
    world.now = last + timedelta(minutes=15, microseconds=-1)
    refused(world, sari, product)
    world.now = last + timedelta(minutes=15)
    assert place(world, sari, product).status == OrderStatus.PENDING


@pytest.mark.parametrize("minutes", [(0, 20), (0, 20, 60.001)])
def test_fewer_or_more_spread_pause_nobody(
    world: World, sari: Customer, product: Product, minutes: tuple[float, ...]
) -> None:
    expire(world, sari, product, *minutes)
    assert place(world, sari, product).status == OrderStatus.PENDING


def test_an_older_three_still_count_when_a_later_one_stands_apart(
    world: World, sari: Customer, product: Product
) -> None:
    StoreSettings.objects.create(pk=1, expiry_pause_minutes=90)
    begin = world.now
    expire(world, sari, product, 0, 1, 2, 65)
    assert refused(world, sari, product) == begin + timedelta(minutes=92)


def test_cancelled_orders_and_those_of_others_do_not_count(
    world: World, sari: Customer, product: Product
) -> None:
    expire(world, world.customer(), product, 0, 1, 2)
    for _ in range(3):
        end_order(order=place(world, sari, product), status=OrderStatus.CANCELLED, now=world.now)
    assert place(world, sari, product).status == OrderStatus.PENDING


@pytest.mark.parametrize("setting", ["expiries_before_pause", "expiry_pause_minutes"])
def test_zero_switches_it_off(
    world: World, sari: Customer, product: Product, setting: str
) -> None:
    StoreSettings.objects.create(pk=1, **{setting: 0})
    expire(world, sari, product, 0, 1, 2)
    assert place(world, sari, product).status == OrderStatus.PENDING


def test_the_store_says_how_many(world: World, sari: Customer, product: Product) -> None:
    StoreSettings.objects.create(pk=1, expiries_before_pause=1, expiry_pause_minutes=2)
    last = expire(world, sari, product, 0)
    assert refused(world, sari, product) == last + timedelta(minutes=2)


def test_the_balance_and_what_is_free_are_not_paused(world: World, product: Product) -> None:
    customer = world.customer(balance=50_000)
    expire(world, customer, product, 0, 1, 2)
    assert world.paid(customer, product).status == OrderStatus.PAID
    gift = world.product(price=0)
    order = take_for_free(checkout=world.checkout(customer, gift), now=world.now)
    assert order.status == OrderStatus.PAID


def test_an_order_placed_before_finds_itself_and_its_qr_may_be_tried_again(
    world: World, sari: Customer, product: Product
) -> None:
    payment = world.qris(sari, product, key="k")
    expire(world, sari, product, 0, 0.1, 0.2)
    assert world.qris(sari, product, key="k") == payment
    retried = retry_qris(
        order_id=payment.order_id,
        customer_id=sari.pk,
        chat_id=sari.pk,
        message_id=None,
        now=world.now,
    )
    assert retried == payment


@pytest.mark.django_db(transaction=True, databases=["default", "audit"])
class TestBesideAnExpiry:
    def place_beside_expiry(self, world: World) -> list[Any]:
        """Place an order while another's third expiry, under the customer's lock, is under way."""
        customer, product = world.customer(), world.product()
        expire(world, customer, product, 0, 1)
        third = place(world, customer, product)

        def held() -> None:
            Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
            end_order(order=third, status=OrderStatus.EXPIRED, now=world.now)

        checkout = world.checkout(customer, product, total=50_000)
        placing = partial(place_order, checkout=checkout, method=PaymentMethod.QRIS, now=world.now)
        return overlap(held, placing)

    def test_the_pause_is_looked_for_under_the_customers_lock(
        self, committed_world: World
    ) -> None:
        [refusal] = self.place_beside_expiry(committed_world)
        assert isinstance(refusal, OrderingPaused)
        assert not Order.objects.pending().exists()

    def test_control_without_it_the_order_is_placed(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(CustomerQuerySet, "lock", unlocked)
        self.place_beside_expiry(committed_world)
        assert Order.objects.pending().count() == 1
