"""A QRIS payment from the button to the goods, against the gateway's stand-in."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.errors import CustomerBanned
from accounts.models import Customer, LedgerEntry
from catalog.models import StockState
from core.models import OutboxMessage
from orders.errors import OrderNotPending
from orders.models import Order, OrderStatus, PaymentMethod
from orders.services.fulfilment import mark_delivered
from payments.gateways import get_gateway
from payments.models import Case, CaseKind, GatewayEvent, Payment, PaymentStatus
from payments.services.check import check_payment, tend_payment
from payments.services.checkout import buy_with_balance, retry_qris
from payments.services.opening import open_payment
from payments.services.settle import record_completion, settle
from tests.bank import Bank
from tests.payments.steps import (
    handle_events,
    kinds,
    opened,
    status_of,
)
from tests.world import World


class TestOpening:
    def test_the_gateways_fee_is_stored_and_never_added_to_the_base_amount(self, sale) -> None:
        _customer, _product, payment = sale
        assert (payment.amount, payment.fee, payment.total_payment) == (100_000, 1_010, 101_010)
        assert payment.order.payment_fee == 1_010
        assert payment.order.total_bill == 100_000
        assert payment.status == PaymentStatus.PENDING

    def test_the_qr_is_told_once(self, sale, world: World) -> None:
        customer, _product, payment = sale
        open_payment(payment_id=payment.pk, now=world.now)
        assert kinds(customer.pk) == ["payment_qr"]

    def test_a_gateway_that_is_down_is_told_once_and_the_order_stays_payable(
        self, world: World, bank: Bank
    ) -> None:
        customer = world.customer()
        bank.fail("create", "500", times=4)
        payment = opened(world, customer, world.product())
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.CREATING)
        tend_payment(payment_id=payment.pk, now=world.later(seconds=5))
        assert kinds(customer.pk) == ["payment_unavailable"]
        tend_payment(payment_id=payment.pk, now=world.later(seconds=10))
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.PENDING)
        assert kinds(customer.pk) == ["payment_unavailable", "payment_qr"]

    def test_a_create_that_timed_out_after_its_effect_finds_its_transaction(
        self, world: World, bank: Bank
    ) -> None:
        bank.fail("create", "timeout_after_effect", times=2)
        payment = opened(world, world.customer(), world.product())
        tend_payment(payment_id=payment.pk, now=world.later(seconds=5))
        assert len(bank.transactions()) == 1
        payment.refresh_from_db()
        assert payment.txn_id == bank.transactions()[0]["txn_id"]

    def test_nothing_is_created_at_or_after_the_expiry(self, world: World, bank: Bank) -> None:
        payment = world.qris(world.customer(), world.product())
        open_payment(payment_id=payment.pk, now=payment.expires_at)
        assert bank.transactions() == []

    def test_a_rate_limit_is_waited_out_and_nobody_is_told(self, world: World, bank: Bank) -> None:
        customer = world.customer()
        bank.fail("create", "429", times=2)
        payment = opened(world, customer, world.product())
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.CREATING)
        assert kinds(customer.pk) == []
        tend_payment(payment_id=payment.pk, now=world.later(seconds=5))
        assert status_of(payment)[1] == PaymentStatus.PENDING
        assert kinds(customer.pk) == ["payment_qr"]

    def test_while_one_opens_a_payment_no_other_asks_for_it(
        self, world: World, bank: Bank
    ) -> None:
        bank.fail("create", "500", times=2)
        payment = opened(world, world.customer(), world.product())
        open_payment(payment_id=payment.pk, now=world.later(seconds=1))
        assert bank.transactions() == []

    def test_no_second_qr_is_made_while_the_money_of_the_first_takes_effect(
        self, world: World, bank: Bank
    ) -> None:
        customer = world.customer()
        payment = opened(world, customer, world.product())
        bank.pay(payment, webhook="drop")
        told = get_gateway().status(payment.txn_id)
        record_completion(payment_id=payment.pk, told=told, now=world.now)
        with pytest.raises(OrderNotPending):
            retry_qris(
                order_id=payment.order_id,
                customer_id=customer.pk,
                chat_id=customer.pk,
                message_id=None,
                now=world.now,
            )
        assert Payment.objects.count() == 1

    def test_a_failed_payment_is_followed_by_one_with_a_new_reference(
        self, world: World, bank: Bank
    ) -> None:
        customer = world.customer()
        first = world.qris(customer, world.product())
        Payment.objects.filter(pk=first.pk).update(status=PaymentStatus.FAILED, ended_at=world.now)
        second = retry_qris(
            order_id=first.order_id,
            customer_id=customer.pk,
            chat_id=customer.pk,
            message_id=None,
            now=world.now,
        )
        assert second.pk != first.pk
        assert second.reference != first.reference
        assert second.expires_at == first.expires_at

    def test_a_sandbox_transaction_never_opens_in_a_real_store(
        self, world: World, bank: Bank
    ) -> None:
        bank.fail("create", "sandbox_flag")
        payment = opened(world, world.customer(), world.product())
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.FAILED)


class TestSettlement:
    def test_a_webhook_leads_to_one_paid_order_and_its_messages(
        self, sale, world: World, bank: Bank
    ) -> None:
        customer, product, payment = sale
        assert bank.pay(payment)["webhook_statuses"] == [200]
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.PENDING)
        handle_events(world)
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)
        assert payment.received_amount == 100_000
        assert payment.applied_at == world.now
        assert product.stock.filter(state=StockState.SOLD).count() == 2
        assert kinds(customer.pk) == ["payment_qr", "order_delivered"]
        assert kinds(None) == ["staff_order_paid"]

    def test_the_same_webhook_again_changes_nothing(self, sale, world: World, bank: Bank) -> None:
        _customer, product, payment = sale
        bank.pay(payment, webhook="duplicate")
        handle_events(world)
        bank.pay(payment)
        handle_events(world)
        assert GatewayEvent.objects.count() == 1
        assert OutboxMessage.objects.filter(kind="order_delivered").count() == 1
        assert product.stock.filter(state=StockState.SOLD).count() == 2

    def test_a_lost_webhook_is_found_by_polling(self, sale, world: World, bank: Bank) -> None:
        _customer, _product, payment = sale
        bank.pay(payment, webhook="drop")
        due = Payment.objects.due_for_check(world.later(seconds=14))
        assert not due.exists()
        assert Payment.objects.due_for_check(world.later(seconds=1)).get() == payment
        tend_payment(payment_id=payment.pk, now=world.now)
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)

    def test_an_unpaid_transaction_changes_nothing(self, sale, world: World) -> None:
        _customer, _product, payment = sale
        check_payment(payment_id=payment.pk, now=world.now)
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.PENDING)

    def test_one_transaction_is_asked_about_once_in_four_seconds(
        self, sale, world: World, bank: Bank
    ) -> None:
        _customer, _product, payment = sale
        check_payment(payment_id=payment.pk, now=world.now)
        bank.pay(payment, webhook="drop")
        check_payment(payment_id=payment.pk, now=world.later(seconds=3))
        assert status_of(payment)[0] == OrderStatus.PENDING
        check_payment(payment_id=payment.pk, now=world.later(seconds=1))
        assert status_of(payment)[0] == OrderStatus.PAID

    def test_a_completion_that_was_recorded_before_a_crash_is_applied_later(
        self, sale, world: World, bank: Bank
    ) -> None:
        _customer, _product, payment = sale
        bank.pay(payment, webhook="drop")
        told = get_gateway().status(payment.txn_id)
        record_completion(payment_id=payment.pk, told=told, now=world.now)
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.COMPLETED)
        assert Payment.objects.unapplied().get() == payment
        tend_payment(payment_id=payment.pk, now=world.now)
        assert status_of(payment)[0] == OrderStatus.PAID
        assert not Payment.objects.unapplied().exists()

    def test_another_amount_is_credited_the_order_stays_unpaid_and_staff_get_a_case(
        self, sale, world: World, bank: Bank
    ) -> None:
        customer, _product, payment = sale
        bank.pay(payment, amount=99_000, webhook="drop")
        check_payment(payment_id=payment.pk, now=world.now)
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.COMPLETED)
        customer.refresh_from_db()
        assert customer.account_balance == 99_000
        assert Case.objects.get().kind == CaseKind.AMOUNT_DIFFERS
        assert kinds(customer.pk)[-1] == "payment_credited"
        assert kinds(None) == ["staff_case", "staff_payment_credited"]

    def test_a_sandbox_status_fulfils_nothing_in_a_real_store(
        self, sale, world: World, bank: Bank
    ) -> None:
        _customer, _product, payment = sale
        bank.pay(payment, webhook="drop")
        bank.fail("status", "sandbox_flag")
        check_payment(payment_id=payment.pk, now=world.now)
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.PENDING)

    def test_a_gateway_that_does_not_answer_changes_nothing(
        self, sale, world: World, bank: Bank
    ) -> None:
        _customer, _product, payment = sale
        bank.pay(payment, webhook="drop")
        bank.fail("status", "html", times=2)
        check_payment(payment_id=payment.pk, now=world.now)
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.PENDING)
        assert payment.last_answer_at is None

    def test_a_completion_of_nothing_is_a_case_and_moves_no_money(
        self, sale, world: World, bank: Bank
    ) -> None:
        customer, _product, payment = sale
        bank.pay(payment, webhook="drop")
        told = replace(get_gateway().status(payment.txn_id), amount=Decimal(0))
        settle(payment_id=payment.pk, told=told, now=world.now)
        customer.refresh_from_db()
        assert customer.account_balance == 0
        assert Case.objects.get().kind == CaseKind.AMOUNT_DIFFERS
        assert not Payment.objects.unapplied().exists()

    def test_money_of_a_deposit_goes_to_the_balance(self, world: World, bank: Bank) -> None:
        customer = world.customer()
        deposit = Payment.objects.create(
            purpose="deposit",
            customer=customer,
            gateway="pakasir",
            reference="QCDEPOSIT1",
            amount=50_000,
            created_at=world.now,
            expires_at=world.now + timedelta(minutes=10),
        )
        open_payment(payment_id=deposit.pk, now=world.now)
        bank.pay(deposit, webhook="drop")
        check_payment(payment_id=deposit.pk, now=world.now)
        customer.refresh_from_db()
        assert customer.account_balance == 50_000
        assert LedgerEntry.objects.get().kind == "deposit"


class TestBalanceBesideQr:
    def test_paying_from_the_balance_closes_the_open_qr(self, world: World, bank: Bank) -> None:
        customer, product = world.customer(balance=50_000), world.product()
        payment = opened(world, customer, product, key="k")
        order = buy_with_balance(
            checkout=world.checkout(customer, product, key="k"), now=world.now
        )
        assert (order.status, order.payment_method) == (OrderStatus.PAID, PaymentMethod.BALANCE)
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.CANCELLED)
        tend_payment(payment_id=payment.pk, now=world.later(seconds=3))
        assert bank.transactions()[0]["status"] in {"canceled", "cancelled"}

    def test_qr_and_balance_both_paid_credits_the_second(self, world: World, bank: Bank) -> None:
        customer, product = world.customer(balance=50_000), world.product()
        payment = opened(world, customer, product, key="k")
        buy_with_balance(checkout=world.checkout(customer, product, key="k"), now=world.now)
        bank.pay(payment)
        handle_events(world)
        customer.refresh_from_db()
        assert customer.account_balance == 50_000
        assert product.stock.filter(state=StockState.SOLD).count() == 1
        assert OutboxMessage.objects.filter(kind="order_delivered").count() == 1

    def test_an_order_paid_from_the_balance_carries_no_fee_of_the_gateway(
        self, world: World, bank: Bank
    ) -> None:
        customer, product = world.customer(balance=50_000), world.product()
        payment = opened(world, customer, product, key="k")
        assert payment.order.payment_fee == 660
        order = buy_with_balance(
            checkout=world.checkout(customer, product, key="k"), now=world.now
        )
        assert order.payment_fee == 0

    def test_a_banned_customer_cannot_pay_an_order_placed_before(
        self, world: World, bank: Bank
    ) -> None:
        customer, product = world.customer(balance=50_000), world.product()
        payment = opened(world, customer, product, key="k")
        Customer.objects.filter(pk=customer.pk).update(is_banned=True)
        with pytest.raises(CustomerBanned):
            buy_with_balance(checkout=world.checkout(customer, product, key="k"), now=world.now)
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.PENDING)


def test_delivery_is_remembered_once_and_only_for_paid_orders(world: World, bank: Bank) -> None:
    paid = world.paid(world.customer(balance=50_000), world.product())
    unpaid = world.qris(world.customer(), world.product()).order
    for order in (paid, unpaid):
        mark_delivered(order_id=order.pk, now=world.now)
        mark_delivered(order_id=order.pk, now=world.later(minutes=1))
    paid.refresh_from_db()
    unpaid.refresh_from_db()
    assert paid.delivered_at == world.now - timedelta(minutes=2)
    assert unpaid.delivered_at is None
    assert Order.objects.paid().count() == 1
