"""What would be given back for which units, from what was paid for them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.models import ProductKind, StockItem, StockState
from core.models import OutboxMessage
from operations.invariants import broken_invariants
from orders.errors import OrderNotFound, RefundRefusal, RefundRefused
from orders.goods import goods_of
from orders.models import Order, Refund
from orders.services.refund_quotes import (
    quote_order,
    quote_refund,
    unit_prices,
    voucher_shares,
)
from orders.services.refunds import refund_to_balance
from telegram_bot.messages import render_message
from tests.orders.steps import arrive, delivered
from tests.world import World


def numbers(*values: int) -> list[Decimal]:
    return [Decimal(value) for value in values]


@pytest.mark.parametrize(
    ("prices", "discount", "shares"),
    [
        ((50_000,), 10_000, (10_000,)),
        ((10, 10), 5, (3, 2)),  # half a rupiah each: the first takes it
        ((10, 10), 1, (1, 0)),
        ((10, 10, 10), 10, (4, 3, 3)),
        ((1, 2), 1, (0, 1)),  # 1/3 and 2/3: the larger remainder
        ((30_000, 10_000), 3, (2, 1)),  # 2,25 and 0,75
        ((7, 7), 14, (7, 7)),
        ((0, 10), 3, (0, 3)),
        ((0, 0), 0, (0, 0)),
        ((10, 20), 0, (0, 0)),
    ],
)
def test_a_voucher_is_shared_by_price(
    prices: tuple[int, ...], discount: int, shares: tuple[int, ...]
) -> None:
    assert voucher_shares(prices=numbers(*prices), discount=Decimal(discount)) == list(shares)


@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=20), st.data())
def test_shares_add_up_and_none_exceeds_its_price(prices: list[int], data: st.DataObject) -> None:
    discount = data.draw(st.integers(0, sum(prices)))
    shares = voucher_shares(prices=numbers(*prices), discount=Decimal(discount))
    assert sum(shares) == discount
    assert all(
        0 <= share <= price and share == int(share)
        for share, price in zip(shares, prices, strict=True)
    )


def test_units_cost_what_was_paid_for_the_order(world: World) -> None:
    item = delivered(world, price=10_000, quantity=3, discount=10_000)
    assert unit_prices(order=item.order) == {item.pk: numbers(6_666, 6_667, 6_667)}
    quote = quote_refund(order_item_id=item.pk, now=world.now)
    assert (quote.list_price, quote.voucher_share, quote.price) == (30_000, 10_000, 20_000)
    assert quote.amount == 16_000
    one = quote_refund(order_item_id=item.pk, units=1, now=world.now)
    assert (one.price, one.amount) == (6_666, 5_333)


def test_the_gateways_fee_is_not_given_back(world: World) -> None:
    item = delivered(world)
    Order.objects.filter(pk=item.order_id).update(payment_fee=660)
    assert quote_refund(order_item_id=item.pk, now=world.now).price == 50_000


@pytest.mark.parametrize(
    ("span", "days", "amount"),
    [
        ({"hours": 0}, 0, 40_000),
        ({"hours": 23, "minutes": 59, "seconds": 59}, 0, 40_000),
        ({"hours": 24}, 1, 38_667),
        ({"days": 6, "hours": 23}, 6, 32_000),
        ({"days": 7}, 7, 26_833),
        ({"days": 29, "hours": 23}, 29, 1_167),
        ({"days": 30}, 30, 0),
        ({"days": 365}, 365, 0),
        ({"seconds": -5}, 0, 40_000),  # another server's clock was ahead
    ],
)
def test_days_are_whole_days_since_delivery(
    world: World, span: dict[str, float], days: int, amount: int
) -> None:
    item = delivered(world)
    quote = quote_refund(order_item_id=item.pk, now=world.later(**span))
    assert (quote.days_used, quote.days_left, quote.amount) == (days, max(30 - days, 0), amount)


@pytest.mark.parametrize(
    ("replaced", "multiplier"), [(0, "0.8"), (1, "0.6"), (2, "0.6"), (3, "0.5"), (4, "0.4")]
)
def test_items_sold_beyond_the_quantity_are_claims(
    world: World, replaced: int, multiplier: str
) -> None:
    item = delivered(world, quantity=2)
    world.fill(item.product, 4)
    free = list(item.product.stock.available().values_list("pk", flat=True)[:replaced])
    StockItem.objects.filter(pk__in=free).update(state=StockState.SOLD, order_item=item)
    quote = quote_refund(order_item_id=item.pk, now=world.now)
    assert (quote.claims, quote.multiplier) == (replaced, Decimal(multiplier))


def test_shared_goods_have_no_claims(world: World) -> None:
    product = world.product(kind=ProductKind.SHARED)
    item = arrive(world, world.paid(world.customer(balance=50_000), product))
    assert quote_refund(order_item_id=item.pk, now=world.now).claims == 0


def test_goods_that_never_arrived_are_given_back_in_full(world: World) -> None:
    order = world.paid(world.customer(balance=100_000), world.product(), quantity=2)
    item = order.items.get()
    quote = quote_refund(order_item_id=item.pk, units=1, now=world.later(days=90))
    assert not quote.is_delivered
    assert (quote.units, quote.days_used) == (2, 0)
    assert (quote.multiplier, quote.amount) == (1, 100_000)


def test_what_was_given_back_before_it_arrived_never_does(world: World) -> None:
    order = world.paid(world.customer(balance=50_000), world.product())
    assert len(goods_of(order=order)) == 1
    [quote] = quote_order(order_id=order.pk, now=world.now)
    refund_to_balance(request=quote.request, actor="test", source="test", now=world.now)
    with pytest.raises(OrderNotFound):
        goods_of(order=order)
    message = OutboxMessage.objects.get(kind="order_delivered")
    assert render_message(message, order.customer) is None
    assert broken_invariants(world.later(hours=1)) == []


def test_what_was_given_back_after_it_arrived_can_be_read_again(world: World) -> None:
    item = delivered(world)
    [quote] = quote_order(order_id=item.order_id, now=world.now)
    refund_to_balance(request=quote.request, actor="test", source="test", now=world.now)
    item.order.refresh_from_db()
    assert len(goods_of(order=item.order)) == 1


def refusal_of(world: World, item_id: int, units: int | None = None) -> RefundRefused:
    with pytest.raises(RefundRefused) as refusal:
        quote_refund(order_item_id=item_id, units=units, now=world.now)
    return refusal.value


def test_an_unpaid_order_gives_nothing_back(world: World) -> None:
    payment = world.qris(world.customer(), world.product())
    assert refusal_of(world, payment.order.items.get().pk).reason == RefundRefusal.NOT_PAID


def test_what_was_free_gives_nothing_back(world: World) -> None:
    item = delivered(world)
    Order.objects.filter(pk=item.order_id).update(voucher_discount=50_000, total_bill=0)
    assert refusal_of(world, item.pk).reason == RefundRefusal.FREE


@pytest.mark.parametrize("units", [0, -1, 3, 2**40])
def test_more_units_than_there_are_is_refused(world: World, units: int) -> None:
    item = delivered(world, quantity=2)
    refused = refusal_of(world, item.pk, units)
    assert (refused.reason, refused.units_left) == (RefundRefusal.TOO_MANY_UNITS, 2)


def test_an_unknown_item_is_not_found(world: World) -> None:
    with pytest.raises(OrderNotFound):
        quote_refund(order_item_id=1, now=world.now)
    with pytest.raises(OrderNotFound):
        quote_order(order_id=1, now=world.now)


def test_what_was_given_back_is_not_quoted_again(world: World) -> None:
    item = delivered(world, price=10_000, quantity=3, discount=10_000)
    for first, price in enumerate((6_666, 6_667, 6_667)):
        quote = quote_refund(order_item_id=item.pk, units=1, now=world.now)
        assert (quote.first_unit, quote.price) == (first, price)
        refund_to_balance(request=quote.request, actor="test", source="test", now=world.now)
    assert refusal_of(world, item.pk).reason == RefundRefusal.ALL_REFUNDED
    with pytest.raises(RefundRefused, match="all_refunded"):
        quote_order(order_id=item.order_id, now=world.now)
    assert sum(Refund.objects.values_list("price", flat=True)) == item.order.total_bill


def test_an_orders_quote_is_for_all_that_is_left(world: World) -> None:
    item = delivered(world, price=10_000, quantity=3)
    one = quote_refund(order_item_id=item.pk, units=1, now=world.now)
    refund_to_balance(request=one.request, actor="test", source="test", now=world.now)
    [quote] = quote_order(order_id=item.order_id, now=world.now)
    assert (quote.first_unit, quote.units, quote.amount) == (1, 2, 16_000)
