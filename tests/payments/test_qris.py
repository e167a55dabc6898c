"""A QRIS payment from the button to the goods, against the gateway's stand-in."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.errors import CustomerBanned
from accounts.models import Customer, LedgerEntry
from catalog.models import Product, StockState
from core.models import OutboxMessage, StoreSettings
from orders.errors import OrderNotPending
from orders.models import Order, OrderStatus, PaymentMethod
from orders.services.fulfilment import mark_delivered
from payments.gateways import get_gateway
from payments.models import Case, CaseKind, GatewayEvent, Payment, PaymentStatus
from payments.services.cancel import cancel_order
from payments.services.check import check_payment, tend_payment
from payments.services.checkout import buy_with_balance, retry_qris
from payments.services.events import handle_event
from payments.services.expiry import due_orders
from payments.services.opening import open_payment
from payments.services.settle import record_completion, settle
from tests.bank import Bank
from tests.payments.steps import (
    SECRET,
    WEBHOOK,
    body_of,
    expire,
    handle_events,
    kinds,
    opened,
    status_of,
)
from tests.world import World


@pytest.fixture
def sale(world: World, bank: Bank) -> tuple[Customer, Product, Payment]:
    customer, product = world.customer(), world.product(price=50_000, stock=3)
    return customer, product, opened(world, customer, product, quantity=2)


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
        bank.fail("create", "500", times=2)
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


class TestExpiry:
    def test_an_order_expires_after_its_time_and_frees_its_goods(self, sale, world: World) -> None:
        customer, product, payment = sale
        world.later(minutes=10, seconds=14)
        assert due_orders(now=world.now, limit=10) == []
        world.later(seconds=1)
        expire(world)
        assert status_of(payment) == (OrderStatus.EXPIRED, PaymentStatus.EXPIRED)
        assert product.stock.available().count() == 3
        assert kinds(customer.pk) == ["payment_qr", "order_expired"]
        assert kinds(None) == ["staff_order_expired"]

    def test_the_gateway_is_told_to_cancel_before_the_goods_are_freed(
        self, sale, world: World, bank: Bank
    ) -> None:
        world.later(minutes=10, seconds=15)
        expire(world)
        assert bank.transactions()[0]["status"] in {"canceled", "cancelled"}

    def test_money_of_the_last_second_is_settled_not_expired(
        self, sale, world: World, bank: Bank
    ) -> None:
        _customer, _product, payment = sale
        bank.pay(payment, webhook="drop")
        world.later(minutes=10, seconds=15)
        expire(world)
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)

    @pytest.mark.parametrize("call", ["status", "cancel"])
    def test_a_silent_gateway_delays_the_expiry_by_five_minutes_at_most(
        self, sale, world: World, bank: Bank, call: str
    ) -> None:
        _customer, product, payment = sale
        bank.fail(call, "500", times=100)
        world.later(minutes=10, seconds=15)
        expire(world)
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.PENDING)
        world.later(minutes=5)
        expire(world)
        assert status_of(payment) == (OrderStatus.EXPIRED, PaymentStatus.EXPIRED)
        assert product.stock.available().count() == 3

    def test_after_a_downtime_of_ours_the_gateway_is_asked_before_anything_is_freed(
        self, sale, world: World, bank: Bank
    ) -> None:
        _customer, _product, payment = sale
        bank.pay(payment, webhook="drop")
        world.later(hours=3)
        expire(world)
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)

    def test_a_gateway_that_is_silent_when_we_come_back_is_waited_for(
        self, sale, world: World, bank: Bank
    ) -> None:
        _customer, _product, payment = sale
        bank.pay(payment, webhook="drop")
        bank.fail("status", "500", times=100)
        world.later(hours=3)
        expire(world)
        assert status_of(payment)[0] == OrderStatus.PENDING
        bank.recover()
        world.later(minutes=1)
        expire(world)
        assert status_of(payment)[0] == OrderStatus.PAID

    def test_orders_that_wait_for_their_moneys_effect_are_not_due(
        self, sale, world: World, bank: Bank
    ) -> None:
        _customer, _product, payment = sale
        world.later(minutes=11)
        assert due_orders(now=world.now, limit=10) == [payment.order_id]
        Payment.objects.filter(pk=payment.pk).update(
            status=PaymentStatus.COMPLETED, received_amount=100_000, completed_at=world.now
        )
        assert due_orders(now=world.now, limit=10) == []

    def test_an_order_whose_money_arrived_never_expires(
        self, sale, world: World, bank: Bank
    ) -> None:
        _customer, _product, payment = sale
        bank.pay(payment, webhook="drop")
        told = get_gateway().status(payment.txn_id)
        record_completion(payment_id=payment.pk, told=told, now=world.now)
        world.later(minutes=30)
        expire(world)
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.COMPLETED)


class TestLateMoney:
    def late(
        self, world: World, bank: Bank, payment: Payment, meanwhile: Callable[[], Any] = bool
    ) -> None:
        world.later(minutes=10, seconds=15)
        expire(world)
        assert status_of(payment) == (OrderStatus.EXPIRED, PaymentStatus.EXPIRED)
        meanwhile()
        bank.pay(payment)
        handle_events(world)

    def test_is_delivered_while_the_goods_are_there(self, sale, world: World, bank: Bank) -> None:
        customer, product, payment = sale
        self.late(world, bank, payment)
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)
        assert product.stock.filter(state=StockState.SOLD).count() == 2
        assert kinds(customer.pk)[-1] == "order_delivered"

    @pytest.mark.parametrize("obstacle", ["sold", "off_sale", "banned", "setting"])
    def test_is_credited_when_it_cannot_be_delivered(
        self, sale, world: World, bank: Bank, obstacle: str
    ) -> None:
        customer, product, payment = sale
        other = world.customer(balance=100_000)
        obstacles: dict[str, Callable[[], Any]] = {
            "sold": lambda: world.paid(other, product, quantity=2),
            "off_sale": lambda: Product.objects.filter(pk=product.pk).update(is_active=False),
            "banned": lambda: Customer.objects.filter(pk=customer.pk).update(is_banned=True),
            "setting": lambda: StoreSettings.objects.create(pk=1, deliver_late_payments=False),
        }
        self.late(world, bank, payment, obstacles[obstacle])
        assert status_of(payment) == (OrderStatus.EXPIRED, PaymentStatus.COMPLETED)
        customer.refresh_from_db()
        assert customer.account_balance == 100_000
        assert kinds(customer.pk)[-1] == "payment_credited"
        assert kinds(None)[-1] == "staff_payment_credited"

    def test_without_its_voucher_is_credited_and_takes_no_goods(
        self, world: World, bank: Bank
    ) -> None:
        customer, product = world.customer(), world.product()
        voucher = world.voucher(total_uses=1)
        payment = opened(world, customer, product, total=40_000, voucher=voucher)
        world.later(minutes=10, seconds=15)
        expire(world)
        world.paid(world.customer(balance=40_000), product, total=40_000, voucher=voucher)
        bank.pay(payment)
        handle_events(world)
        customer.refresh_from_db()
        assert status_of(payment)[0] == OrderStatus.EXPIRED
        assert customer.account_balance == 40_000
        assert product.stock.filter(state=StockState.RESERVED).count() == 0

    def test_of_a_cancelled_order_is_delivered_too(self, sale, world: World, bank: Bank) -> None:
        customer, _product, payment = sale
        cancel_order(order_id=payment.order_id, customer_id=customer.pk, now=world.now)
        bank.pay(payment)
        handle_events(world)
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)

    def test_that_came_while_cancelling_is_found_by_reading_the_status_again(
        self, sale, world: World, bank: Bank
    ) -> None:
        """The gateway refuses to cancel what is paid: that refusal must not end the watch."""
        customer, _product, payment = sale
        bank.pay(payment, webhook="drop")
        cancel_order(order_id=payment.order_id, customer_id=customer.pk, now=world.now)
        tend_payment(payment_id=payment.pk, now=world.later(seconds=3))
        assert Payment.objects.due_for_check(world.later(seconds=5)).get() == payment
        tend_payment(payment_id=payment.pk, now=world.now)
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)

    def test_is_watched_for_with_growing_pauses_for_two_days(
        self, sale, world: World, bank: Bank
    ) -> None:
        customer, _product, payment = sale
        cancel_order(order_id=payment.order_id, customer_id=customer.pk, now=world.now)
        ended_at, asked_at = world.now, []
        while Payment.objects.get(pk=payment.pk).next_check_at is not None:
            world.now = Payment.objects.get(pk=payment.pk).next_check_at
            tend_payment(payment_id=payment.pk, now=world.now)
            asked_at.append(world.now - ended_at)
        assert timedelta(hours=24) < asked_at[-1] <= timedelta(hours=48)
        assert 10 < len(asked_at) < 40


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


class TestWebhook:
    def post(self, body: bytes | str, secret: str | None = SECRET, **headers) -> int:
        extra = {"HTTP_X_SECRET": secret} if secret is not None else {}
        content_type = headers.pop("content_type", "application/json")
        return (
            Client().generic("POST", WEBHOOK, body, content_type=content_type, **extra).status_code
        )

    @pytest.mark.parametrize("secret", [None, "", "wrong"])
    def test_without_the_secret_is_refused(self, db, secret: str | None) -> None:
        assert self.post("{}", secret) == 403
        assert not GatewayEvent.objects.exists()

    def test_with_an_unset_secret_every_call_is_refused(self, db, settings) -> None:
        settings.PAKASIR_WEBHOOK_SECRET = ""
        assert self.post("{}", "") == 403

    @pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"{}", b'{"txn_id": 1}', b"\xff"])
    def test_what_cannot_be_read_is_refused(self, db, body: bytes) -> None:
        assert self.post(body) == 400
        assert not GatewayEvent.objects.exists()

    def test_too_big_is_refused(self, db) -> None:
        assert self.post(b" " * (64 * 1024 + 1)) == 413

    def test_json_with_a_form_content_type_is_read(self, sale, world: World, bank: Bank) -> None:
        _customer, _product, payment = sale
        bank.pay(payment, webhook="drop")
        content_type = "application/x-www-form-urlencoded"
        assert self.post(body_of(payment), content_type=content_type) == 200
        handle_events(world)
        assert status_of(payment)[0] == OrderStatus.PAID

    def test_a_body_is_a_hint_never_proof(self, sale, world: World) -> None:
        _customer, _product, payment = sale
        assert self.post(body_of(payment)) == 200
        handle_events(world)
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.PENDING)

    def test_a_body_that_differs_from_transaction_status_is_ignored(
        self, sale, world: World, bank: Bank
    ) -> None:
        _customer, _product, payment = sale
        bank.pay(payment, webhook="drop")
        assert self.post(body_of(payment, amount=1)) == 200
        handle_events(world)
        assert status_of(payment)[0] == OrderStatus.PENDING
        assert GatewayEvent.objects.get().error == "differs from transaction-status"

    def test_a_true_call_after_a_wrong_one_is_believed(
        self, sale, world: World, bank: Bank
    ) -> None:
        _customer, _product, payment = sale
        bank.pay(payment, webhook="drop")
        assert self.post(body_of(payment, amount=1)) == 200
        handle_events(world)
        assert self.post(body_of(payment)) == 200
        world.later(seconds=4)
        handle_events(world)
        assert status_of(payment)[0] == OrderStatus.PAID
        assert GatewayEvent.objects.count() == 1

    def test_a_call_that_runs_ahead_of_transaction_status_is_asked_about_again(
        self, sale, world: World, bank: Bank
    ) -> None:
        _customer, _product, payment = sale
        assert self.post(body_of(payment)) == 200
        handle_events(world)
        assert status_of(payment)[0] == OrderStatus.PENDING
        bank.pay(payment, webhook="drop")
        world.later(seconds=4)
        handle_events(world)
        assert status_of(payment)[0] == OrderStatus.PAID

    def test_what_transaction_status_never_confirms_becomes_a_case_after_an_hour(
        self, world: World, bank: Bank
    ) -> None:
        payment = world.qris(world.customer(), world.product())
        body = body_of(payment, txn_id="TXN-BOGUS")
        assert self.post(body) == 200
        event = GatewayEvent.objects.get()
        asked = 0
        while event.handled_at is None:
            handle_event(event_id=event.pk, now=event.next_try_at)
            event.refresh_from_db()
            asked += 1
        assert 10 < asked < 60
        assert Case.objects.get().kind == CaseKind.UNMATCHED_EVENT
        payment.refresh_from_db()
        assert payment.txn_id is None

    def test_a_foreign_sandbox_transaction_is_not_adopted(self, world: World, bank: Bank) -> None:
        payment = opened(world, world.customer(), world.product())
        txn_id = payment.txn_id
        Payment.objects.filter(pk=payment.pk).update(txn_id=None, status=PaymentStatus.CREATING)
        assert self.post(body_of(payment, txn_id=txn_id, is_sandbox=True)) == 200
        bank.fail("status", "sandbox_flag")
        handle_events(world)
        payment.refresh_from_db()
        assert payment.txn_id is None

    def test_an_event_of_nobody_is_retried_for_an_hour_then_becomes_a_case(
        self, world: World, bank: Bank
    ) -> None:
        body = (
            '{"txn_id": "unknown", "order_id": "UNKNOWN-1", "amount": 1000,'
            ' "is_sandbox": false, "status": "completed", "completed_at": null}'
        )
        assert self.post(body) == 200
        event = GatewayEvent.objects.get()
        handle_event(event_id=event.pk, now=event.received_at + timedelta(minutes=59))
        assert not Case.objects.exists()
        handle_event(event_id=event.pk, now=event.received_at + timedelta(minutes=60))
        assert Case.objects.get().kind == CaseKind.UNMATCHED_EVENT
        assert kinds(None) == ["staff_case"]

    def test_a_payment_without_transaction_adopts_it_after_transaction_status(
        self, world: World, bank: Bank
    ) -> None:
        payment = opened(world, world.customer(), world.product())
        txn_id = payment.txn_id
        Payment.objects.filter(pk=payment.pk).update(
            txn_id=None, status=PaymentStatus.CREATING, qr_string=""
        )
        bank.pay_transaction(txn_id)
        handle_events(world)
        assert status_of(payment) == (OrderStatus.PAID, PaymentStatus.COMPLETED)
        assert payment.txn_id == txn_id

    def test_a_transaction_adopted_unpaid_still_shows_its_qr(
        self, world: World, bank: Bank
    ) -> None:
        payment = opened(world, world.customer(), world.product())
        OutboxMessage.objects.all().delete()
        Payment.objects.filter(pk=payment.pk).update(
            status=PaymentStatus.CREATING, qr_string="", next_check_at=world.now
        )
        open_payment(payment_id=payment.pk, now=world.later(seconds=5))
        assert status_of(payment) == (OrderStatus.PENDING, PaymentStatus.PENDING)
        assert payment.qr_string
        assert kinds(payment.customer_id) == ["payment_qr"]

    def test_an_unknown_gateway_is_not_found(self, db) -> None:
        assert Client().post("/webhooks/other/").status_code == 404


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
