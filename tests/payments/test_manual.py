"""Staff mark an order paid: the gateway is asked first; what it says afterwards is a case."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Customer, LedgerEntry
from audit.models import AuditEntry
from catalog.errors import OutOfStock, ProductUnavailable
from catalog.models import Product, StockState
from core.models import OutboxMessage
from operations.invariants import broken_invariants
from orders.errors import OrderNotFound, OrderNotPending, VoucherRefused
from orders.models import Order, OrderStatus, PaymentMethod
from payments.gateways import get_gateway
from payments.models import MANUAL, Case, CaseKind, Payment, PaymentStatus
from payments.services.cancel import cancel_order
from payments.services.check import check_payment, tend_payment
from payments.services.manual import (
    GatewaySilent,
    MarkedPaid,
    ReasonRefused,
    mark_paid_by_hand,
)
from payments.services.settle import record_completion
from tests.bank import Bank
from tests.payments.steps import (
    at_the_gateway,
    expire,
    handle_events,
    kinds,
    opened,
    paid,
    status_of,
)
from tests.world import World

Sale = tuple[Customer, Product, Payment]


def mark(
    world: World, order_id: int, reason: str = "Cash at the counter", **how: Any
) -> MarkedPaid:
    return mark_paid_by_hand(
        order_id=order_id,
        reason=reason,
        actor="staff:owner",
        source="admin",
        now=world.now,
        **how,
    )


def nothing_by_hand() -> bool:
    return (
        not Payment.objects.filter(gateway=MANUAL).exists()
        and not AuditEntry.objects.filter(action="mark_paid_by_hand").exists()
    )


class TestUnpaidThere:
    def test_it_is_recorded_with_its_reason_and_the_goods_go_out(
        self, sale: Sale, world: World, bank: Bank
    ) -> None:
        customer, product, open_payment = sale
        marked = mark(world, open_payment.order_id)
        payment = Payment.objects.get(gateway=MANUAL)
        assert marked.payment == payment
        assert (payment.status, payment.reason) == ("completed", "Cash at the counter")
        assert (payment.amount, payment.received_amount) == (100_000, 100_000)
        assert payment.applied_at == payment.completed_at == world.now
        order = Order.objects.get()
        assert (order.status, order.payment_method) == ("paid", PaymentMethod.MANUAL)
        assert (order.payment_fee, order.paid_at) == (0, world.now)
        assert product.stock.filter(state=StockState.SOLD).count() == 2
        assert kinds(customer.pk) == ["payment_qr", "order_delivered"]
        assert not LedgerEntry.objects.exists()
        assert broken_invariants(world.now) == []

    def test_the_open_qr_is_closed_here_and_at_the_gateway(
        self, sale: Sale, world: World, bank: Bank
    ) -> None:
        payment = sale[2]
        mark(world, payment.order_id)
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.CANCELLED)
        tend_payment(payment_id=payment.pk, now=world.later(seconds=3))
        assert at_the_gateway(bank, payment) == "canceled"

    def test_the_trail_names_who_did_it_and_not_the_reason(self, sale: Sale, world: World) -> None:
        order_id = sale[2].order_id
        marked = mark(world, order_id)
        assert marked.payment is not None
        entry = AuditEntry.objects.get(action="mark_paid_by_hand")
        assert (entry.actor, entry.source, entry.target) == (
            "staff:owner",
            "admin",
            f"order:{order_id}",
        )
        assert entry.before == {"status": "pending"}
        assert entry.after == {"status": "paid", "payment": marked.payment.pk, "amount": "100000"}

    @pytest.mark.parametrize("end", ["expired", "cancelled"])
    def test_an_order_that_ended_is_paid_while_its_goods_are_there(
        self, sale: Sale, world: World, bank: Bank, end: str
    ) -> None:
        customer, product, payment = sale
        if end == "expired":
            world.later(minutes=10, seconds=15)
            expire(world)
        else:
            cancel_order(order_id=payment.order_id, customer_id=customer.pk, now=world.now)
        mark(world, payment.order_id)
        assert status_of(payment) == (OrderStatus.PAID, end)
        assert product.stock.filter(state=StockState.SOLD).count() == 2

    @pytest.mark.parametrize("gone", ["goods", "product", "voucher"])
    def test_an_ended_order_whose_parts_are_gone_is_refused(
        self, world: World, bank: Bank, gone: str
    ) -> None:
        customer, product = world.customer(), world.product(stock=3)
        voucher = world.voucher(total_uses=1)
        terms = {"total": 90_000, "voucher": voucher, "quantity": 2}
        payment = opened(world, customer, product, **terms)
        cancel_order(order_id=payment.order_id, customer_id=customer.pk, now=world.now)
        other = world.customer(balance=200_000)
        obstacles: dict[str, tuple[Callable[[], Any], type[Exception]]] = {
            "goods": (lambda: world.paid(other, product, quantity=2), OutOfStock),
            "product": (
                lambda: Product.objects.filter(pk=product.pk).update(is_active=False),
                ProductUnavailable,
            ),
            "voucher": (
                lambda: world.paid(other, product, total=40_000, voucher=voucher),
                VoucherRefused,
            ),
        }
        act, refusal = obstacles[gone]
        act()
        free = product.stock.available().count()
        with pytest.raises(refusal):
            mark(world, payment.order_id)
        assert status_of(payment) == (OrderStatus.CANCELLED, PaymentStatus.CANCELLED)
        assert product.stock.available().count() == free
        assert nothing_by_hand()

    @pytest.mark.parametrize("reason", ["", "   ", "x" * 2001])
    def test_a_reason_is_needed(self, sale: Sale, world: World, reason: str) -> None:
        with pytest.raises(ReasonRefused):
            mark(world, sale[2].order_id, reason)
        assert status_of(sale[2]) == (OrderStatus.PENDING, PaymentStatus.PENDING)
        assert nothing_by_hand()

    def test_of_no_order_finds_nothing(self, world: World) -> None:
        with pytest.raises(OrderNotFound):
            mark(world, 2**62)

    def test_of_a_paid_order_is_refused(self, sale: Sale, world: World) -> None:
        mark(world, sale[2].order_id)
        with pytest.raises(OrderNotPending):
            mark(world, sale[2].order_id)
        assert Payment.objects.filter(gateway=MANUAL).count() == 1


class TestPaidThere:
    def test_it_is_settled_as_ever_and_nothing_is_recorded(
        self, sale: Sale, world: World, bank: Bank
    ) -> None:
        payment = sale[2]
        bank.pay(payment, webhook="drop")
        marked = mark(world, payment.order_id)
        assert (marked.payment, marked.order.status) == (None, OrderStatus.PAID)
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)
        assert marked.order.payment_method == PaymentMethod.QRIS
        assert nothing_by_hand()

    def test_an_ended_payment_is_asked_about_too(
        self, sale: Sale, world: World, bank: Bank
    ) -> None:
        customer, _product, payment = sale
        cancel_order(order_id=payment.order_id, customer_id=customer.pk, now=world.now)
        bank.pay(payment, webhook="drop")
        assert mark(world, payment.order_id).payment is None
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)

    def test_money_that_could_only_be_credited_is_not_paid_a_second_time_by_hand(
        self, sale: Sale, world: World, bank: Bank
    ) -> None:
        customer, product, payment = sale
        cancel_order(order_id=payment.order_id, customer_id=customer.pk, now=world.now)
        Product.objects.filter(pk=product.pk).update(is_active=False)
        bank.pay(payment, webhook="drop")
        marked = mark(world, payment.order_id)
        assert (marked.payment, marked.order.status) == (None, OrderStatus.CANCELLED)
        customer.refresh_from_db()
        assert customer.account_balance == 100_000
        assert nothing_by_hand()

    def test_money_that_waits_for_its_effect_comes_first(
        self, sale: Sale, world: World, bank: Bank
    ) -> None:
        payment = sale[2]
        record_completion(payment_id=payment.pk, told=paid(bank, payment), now=world.now)
        with pytest.raises(OrderNotPending):
            mark(world, payment.order_id)
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.COMPLETED)
        assert nothing_by_hand()


class TestNoAnswer:
    def test_without_one_it_is_refused(self, sale: Sale, world: World, bank: Bank) -> None:
        bank.fail("status", "500", times=100)
        with pytest.raises(GatewaySilent):
            mark(world, sale[2].order_id)
        assert status_of(sale[2]) == (OrderStatus.PENDING, PaymentStatus.PENDING)
        assert nothing_by_hand()

    def test_it_goes_on_when_told_to(self, sale: Sale, world: World, bank: Bank) -> None:
        bank.fail("status", "500", times=100)
        assert mark(world, sale[2].order_id, without_answer=True).payment is not None
        assert status_of(sale[2]) == (OrderStatus.PAID, PaymentStatus.CANCELLED)

    def test_an_answer_of_three_seconds_ago_is_one(
        self, sale: Sale, world: World, bank: Bank
    ) -> None:
        check_payment(payment_id=sale[2].pk, now=world.now)
        bank.fail("status", "500", times=100)
        world.later(seconds=3)
        assert mark(world, sale[2].order_id).payment is not None

    def test_an_order_without_any_transaction_needs_none(self, world: World) -> None:
        payment = world.qris(world.customer(), world.product())
        assert mark(world, payment.order_id).payment is not None
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.CANCELLED)


class TestCompletedAfterwards:
    def test_is_a_case_and_no_credit_and_everybody_is_told(
        self, sale: Sale, world: World, bank: Bank
    ) -> None:
        customer, product, payment = sale
        mark(world, payment.order_id)
        bank.pay(payment, webhook="duplicate")
        world.later(seconds=5)
        handle_events(world)
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)
        case = Case.objects.get()
        assert (case.kind, case.payment, case.order) == (
            CaseKind.PAID_AFTER_MANUAL,
            payment,
            payment.order,
        )
        assert not LedgerEntry.objects.exists()
        assert product.stock.filter(state=StockState.SOLD).count() == 2
        assert kinds(customer.pk) == ["payment_qr", "order_delivered", "payment_in_review"]
        assert kinds(None) == ["staff_order_paid", "staff_case"]
        OutboxMessage.objects.filter(kind="order_delivered").update(state="sent")
        assert broken_invariants(world.now) == []

    def test_with_another_amount_is_the_same_case(
        self, sale: Sale, world: World, bank: Bank
    ) -> None:
        payment = sale[2]
        mark(world, payment.order_id)
        bank.pay(payment, webhook="drop", amount=60_000)
        check_payment(payment_id=payment.pk, now=world.later(seconds=5))
        assert [case.kind for case in Case.objects.all()] == [CaseKind.PAID_AFTER_MANUAL]
        assert not LedgerEntry.objects.exists()

    def test_of_the_gateway_is_nothing_but_a_second_payment_when_it_paid_the_order(
        self, sale: Sale, world: World, bank: Bank
    ) -> None:
        """Control: an order that QRIS or the balance paid keeps crediting what comes after."""
        payment = sale[2]
        Order.objects.filter(pk=payment.order_id).update(
            status=OrderStatus.PAID, paid_at=world.now, payment_method=PaymentMethod.BALANCE
        )
        bank.pay(payment, webhook="drop")
        told = get_gateway().status(payment.txn_id)
        assert told.amount == 100_000
        check_payment(payment_id=payment.pk, now=world.later(seconds=5))
        assert LedgerEntry.objects.get().amount == 100_000
        assert not Case.objects.exists()
