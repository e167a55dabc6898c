from datetime import timedelta
from decimal import Decimal

import pytest

from orders.errors import VoucherRefusal, VoucherRefused
from orders.models import OrderStatus, Voucher, VoucherUse, VoucherUseState
from orders.services.vouchers import find_voucher, voucher_discount
from payments.services.cancel import cancel_order
from tests.world import World


def refusal(world: World, customer, code: str = "HEMAT", subtotal: int = 50_000) -> VoucherRefusal:
    with pytest.raises(VoucherRefused) as refused:
        find_voucher(customer=customer, code=code, subtotal=Decimal(subtotal), now=world.now)
    return refused.value.reason


def test_a_code_is_found_however_it_is_typed(world: World) -> None:
    voucher = world.voucher("HEMAT")
    found = find_voucher(
        customer=world.customer(), code=" hemat ", subtotal=Decimal(1), now=world.now
    )
    assert found == voucher


@pytest.mark.parametrize(
    ("fields", "subtotal", "discount"),
    [
        ({"amount": Decimal(10_000)}, 50_000, 10_000),
        ({"amount": Decimal(10_000)}, 7_000, 7_000),
        ({"amount": None, "percent": Decimal(15)}, 33_333, 5_000),
        ({"amount": None, "percent": Decimal(50), "most_discount": Decimal(8_000)}, 50_000, 8_000),
    ],
)
def test_discount(fields, subtotal: int, discount: int) -> None:
    voucher = Voucher(code="X", **fields)
    assert voucher_discount(voucher=voucher, subtotal=Decimal(subtotal)) == discount


def test_each_refusal_has_its_reason(world: World) -> None:
    customer = world.customer()
    assert refusal(world, customer, "NONE") == VoucherRefusal.UNKNOWN
    world.voucher("OFF", is_active=False)
    assert refusal(world, customer, "OFF") == VoucherRefusal.INACTIVE
    world.voucher("SOON", valid_from=world.now + timedelta(days=1))
    assert refusal(world, customer, "SOON") == VoucherRefusal.NOT_YET
    world.voucher("OVER", valid_until=world.now)
    assert refusal(world, customer, "OVER") == VoucherRefusal.OVER
    world.voucher("BIG", least_subtotal=Decimal(50_001))
    assert refusal(world, customer, "BIG") == VoucherRefusal.BELOW_MINIMUM
    world.voucher("ZERO", total_uses=0)
    assert refusal(world, customer, "ZERO") == VoucherRefusal.USED_UP


def test_a_voucher_is_reserved_with_the_order_and_given_back_when_it_is_cancelled(
    world: World,
) -> None:
    customer, product = world.customer(), world.product()
    voucher = world.voucher(total_uses=1)
    payment = world.qris(customer, product, total=40_000, voucher=voucher)
    assert VoucherUse.objects.get().state == VoucherUseState.RESERVED
    assert refusal(world, world.customer()) == VoucherRefusal.USED_UP
    cancel_order(order_id=payment.order_id, customer_id=customer.pk, now=world.now)
    assert VoucherUse.objects.get().state == VoucherUseState.RELEASED
    world.qris(customer, product, total=40_000, voucher=voucher)


def test_a_customer_has_one_open_order_with_a_voucher(world: World) -> None:
    customer, product = world.customer(), world.product()
    world.qris(customer, product, total=40_000, voucher=world.voucher("ONE"))
    world.voucher("TWO")
    assert refusal(world, customer, "TWO") == VoucherRefusal.OPEN_ORDER


def test_five_minutes_pass_between_two_vouchers_of_a_customer(world: World) -> None:
    customer, product = world.customer(balance=100_000), world.product()
    order = world.paid(customer, product, total=40_000, voucher=world.voucher("ONE"))
    assert order.status == OrderStatus.PAID
    assert VoucherUse.objects.get().state == VoucherUseState.CONSUMED
    two = world.voucher("TWO")
    world.later(minutes=4, seconds=59)
    assert refusal(world, customer, "TWO") == VoucherRefusal.TOO_SOON
    world.later(seconds=1)
    assert (
        find_voucher(customer=customer, code="TWO", subtotal=Decimal(50_000), now=world.now) == two
    )


def test_a_voucher_serves_a_customer_once(world: World) -> None:
    customer, product = world.customer(balance=100_000), world.product()
    world.paid(customer, product, total=40_000, voucher=world.voucher())
    world.later(minutes=6)
    assert refusal(world, customer) == VoucherRefusal.USED_BY_CUSTOMER
