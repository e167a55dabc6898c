from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from accounts.errors import CustomerBanned
from catalog.errors import OutOfStock, ProductUnavailable, QuantityOutOfRange
from catalog.models import Product, ProductKind, StockState
from orders.errors import MethodRefused, PriceChanged, TooManyOpenOrders
from orders.models import Order, OrderStatus, PaymentMethod
from orders.services.placing import place_order
from tests.world import World


def place(world: World, customer, product, **checkout) -> Order:
    order, _ = place_order(
        checkout=world.checkout(customer, product, **checkout),
        method=PaymentMethod.QRIS,
        now=world.now,
    )
    return order


def nothing_changed(product: Product, stock: int) -> bool:
    return not Order.objects.exists() and product.stock.available().count() == stock


def test_placing_fixes_the_price_and_reserves_the_oldest_items(world: World) -> None:
    product = world.product(price=20_000, stock=["first", "second", "third"])
    order = place(world, world.customer(), product, quantity=2)
    item = order.items.get()
    assert (order.total_bill, item.unit_price, item.quantity) == (40_000, 20_000, 2)
    assert order.expires_at == world.now + timedelta(minutes=10)
    reserved = product.stock.filter(order_item=item, state=StockState.RESERVED)
    oldest = product.stock.order_by("pk")[:2]
    assert {row.pk for row in reserved} == {row.pk for row in oldest}


def test_the_same_summary_again_is_the_same_order(world: World) -> None:
    customer, product = world.customer(), world.product()
    first = place(world, customer, product, key="k")
    again, is_new = place_order(
        checkout=world.checkout(customer, product, key="k", quantity=3),
        method=PaymentMethod.QRIS,
        now=world.now,
    )
    assert (again.pk, is_new) == (first.pk, False)
    assert product.stock.available().count() == 9


def test_another_customers_key_finds_nothing(world: World) -> None:
    product = world.product()
    first = place(world, world.customer(), product, key="k")
    second = place(world, world.customer(), product, key="k")
    assert first.pk != second.pk


def test_a_total_that_was_shown_before_the_price_changed_is_not_charged(world: World) -> None:
    product = world.product(price=20_000)
    with pytest.raises(PriceChanged) as refusal:
        place(world, world.customer(), product, total=15_000)
    assert refusal.value.quote.total == Decimal(20_000)
    assert nothing_changed(product, 10)


@pytest.mark.parametrize("quantity", [0, -1, 21, 9_999])
def test_quantity_stays_within_the_limits(world: World, quantity: int) -> None:
    product = world.product(stock=30)
    with pytest.raises(QuantityOutOfRange) as refusal:
        place(world, world.customer(), product, quantity=quantity)
    assert refusal.value.most == 20
    assert nothing_changed(product, 30)


def test_a_products_own_limit_is_kept(world: World) -> None:
    product = world.product(per_order_limit=2)
    with pytest.raises(QuantityOutOfRange):
        place(world, world.customer(), product, quantity=3)
    assert nothing_changed(product, 10)


def test_more_than_there_is_reserves_none(world: World) -> None:
    product = world.product(stock=2)
    with pytest.raises(OutOfStock) as refusal:
        place(world, world.customer(), product, quantity=3)
    assert (refusal.value.wanted, refusal.value.available) == (3, 2)
    assert nothing_changed(product, 2)


@pytest.mark.parametrize("gone", ["inactive", "deleted", "unknown"])
def test_a_product_off_sale_cannot_be_ordered(world: World, gone: str) -> None:
    product = world.product()
    if gone == "unknown":
        product.pk = 2**62
    else:
        change = {"is_active": False} if gone == "inactive" else {"deleted_at": world.now}
        Product.objects.filter(pk=product.pk).update(**change)
    with pytest.raises(ProductUnavailable):
        place(world, world.customer(), product)
    assert not Order.objects.exists()


def test_a_banned_customer_cannot_order(world: World) -> None:
    product = world.product()
    with pytest.raises(CustomerBanned):
        place(world, world.customer(is_banned=True), product)
    assert nothing_changed(product, 10)


def test_a_fourth_open_order_is_refused_until_one_ends(world: World) -> None:
    customer, product = world.customer(), world.product()
    orders = [place(world, customer, product) for _ in range(3)]
    with pytest.raises(TooManyOpenOrders) as refusal:
        place(world, customer, product)
    assert {order.pk for order in refusal.value.orders} == {order.pk for order in orders}
    assert product.stock.available().count() == 7


def test_open_orders_do_not_stand_in_the_way_of_the_balance(world: World) -> None:
    customer, product = world.customer(balance=50_000), world.product()
    for _ in range(3):
        place(world, customer, product)
    assert world.paid(customer, product).status == OrderStatus.PAID


def test_shared_goods_are_bought_one_at_a_time_within_their_quota(world: World) -> None:
    product = world.product(kind=ProductKind.SHARED, quota=2)
    with pytest.raises(QuantityOutOfRange):
        place(world, world.customer(), product, quantity=2)
    for _ in range(2):
        order = place(world, world.customer(), product)
        assert order.items.get().shared_item == product.stock.get()
    with pytest.raises(OutOfStock):
        place(world, world.customer(), product)


def test_the_database_refuses_a_total_that_does_not_add_up(world: World) -> None:
    order = place(world, world.customer(), world.product())
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(total_bill=1)


def test_the_database_refuses_a_paid_order_without_a_time(world: World) -> None:
    order = place(world, world.customer(), world.product())
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(status=OrderStatus.PAID)


def test_qris_refuses_totals_the_gateway_cannot_collect(world: World) -> None:
    for price, reason in ((0, "free"), (499, "too_small"), (10_000_001, "too_big")):
        product = world.product(price=price)
        with pytest.raises(MethodRefused) as refusal:
            world.qris(world.customer(), product)
        assert refusal.value.reason == reason
        assert nothing_changed(product, 10)
