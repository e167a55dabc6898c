"""A delivered order, for the tests of what is given back."""

from orders.models import Order, OrderItem
from orders.services.fulfilment import mark_delivered
from tests.world import World


def delivered(
    world: World, *, price: int = 50_000, quantity: int = 1, discount: int = 0
) -> OrderItem:
    """Sell from a balance and deliver at once; return the order item."""
    voucher = None
    if discount:
        voucher = world.voucher(code=f"OFF{discount}", amount=discount)
    total = price * quantity - discount
    customer = world.customer(balance=total or 1)
    product = world.product(price=price, stock=quantity + 2)
    order = world.paid(customer, product, quantity=quantity, voucher=voucher, total=total)
    return arrive(world, order)


def arrive(world: World, order: Order) -> OrderItem:
    mark_delivered(order_id=order.pk, now=world.now)
    return order.items.get()
