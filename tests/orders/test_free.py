"""[Ambil]: what costs nothing is taken without payment, fee or ledger row, and nothing else is."""

from decimal import Decimal

import pytest

from accounts.models import Customer, LedgerEntry
from catalog.models import Product, StockState
from orders.errors import MethodRefused, PriceChanged
from orders.models import Order, OrderStatus, PaymentMethod, VoucherUse, VoucherUseState
from payments.models import Payment, PaymentStatus
from payments.services.checkout import take_for_free
from tests.bank import Bank
from tests.payments.steps import kinds, opened, status_of
from tests.world import World


def nothing_changed(customer: Customer, product: Product) -> bool:
    is_told = bool(kinds(customer.pk))
    return not is_told and not Order.objects.exists() and product.stock.available().count() == 10


def test_what_a_voucher_pays_in_full_is_taken_once(world: World) -> None:
    customer, product = world.customer(), world.product()
    voucher = world.voucher(amount=Decimal(50_000))
    checkout = world.checkout(customer, product, total=0, voucher=voucher)
    order = take_for_free(checkout=checkout, now=world.now)
    assert take_for_free(checkout=checkout, now=world.now) == order
    assert (order.status, order.payment_method) == (OrderStatus.PAID, PaymentMethod.FREE)
    assert (order.total_bill, order.payment_fee, order.paid_at) == (0, 0, world.now)
    assert product.stock.filter(state=StockState.SOLD).count() == 1
    assert VoucherUse.objects.get().state == VoucherUseState.CONSUMED
    assert kinds(customer.pk) == ["order_delivered"]
    assert not Payment.objects.exists()
    assert not LedgerEntry.objects.exists()


def test_what_has_a_price_is_not_taken_for_free(world: World) -> None:
    customer, product = world.customer(balance=50_000), world.product()
    with pytest.raises(MethodRefused) as refusal:
        take_for_free(checkout=world.checkout(customer, product), now=world.now)
    assert refusal.value.reason == "not_free"
    assert nothing_changed(customer, product)


def test_a_total_of_nothing_that_was_never_shown_is_not_believed(world: World) -> None:
    customer, product = world.customer(balance=50_000), world.product()
    with pytest.raises(PriceChanged):
        take_for_free(checkout=world.checkout(customer, product, total=0), now=world.now)
    assert nothing_changed(customer, product)


def test_the_order_of_an_open_qr_is_not_taken_for_free(world: World, bank: Bank) -> None:
    customer, product = world.customer(), world.product()
    payment = opened(world, customer, product, key="k")
    with pytest.raises(MethodRefused) as refusal:
        take_for_free(checkout=world.checkout(customer, product, key="k"), now=world.now)
    assert refusal.value.reason == "not_free"
    assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.PENDING)
    assert payment.order.payment_method == PaymentMethod.QRIS
    assert Product.objects.get().stock.filter(state=StockState.RESERVED).count() == 1
