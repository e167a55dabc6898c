"""Faults to plant in the shop, one at a time: each loses money, goods or a message."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Customer
from accounts.services import balance
from catalog.models import StockItemQuerySet
from catalog.services import stock
from core.ids import random_code
from core.models import OutboxMessage
from orders.models import OrderStatus
from orders.services import fulfilment, vouchers
from payments.models import Payment
from payments.services import checkout, closing, events, expiry, settle
from telegram_bot import delivery, outcomes

Plant = Callable[[pytest.MonkeyPatch], None]
FAULTS: dict[str, Plant] = {}


def fault(plant: Plant) -> Plant:
    FAULTS[plant.__name__] = plant
    return plant


def nothing(*_args: Any, **_named: Any) -> None:
    """Take the place of what should have been done."""


@fault
def expiry_keeps_the_goods(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(fulfilment, "release_stock", nothing)


@fault
def expiry_keeps_the_voucher(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(fulfilment, "release_voucher", nothing)


@fault
def reserving_takes_what_is_not_available(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(StockItemQuerySet, "available", lambda rows: rows)


@fault
def paying_sells_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(fulfilment, "sell_stock", nothing)


@fault
def the_quota_is_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(stock, "copies_left", nothing)


@fault
def the_last_use_of_a_voucher_is_not_the_last(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(vouchers, "_check_counts", nothing)


@fault
def a_credit_has_no_key_of_its_payment(patch: pytest.MonkeyPatch) -> None:
    real = settle.post_entry

    def post(**entry: Any) -> Any:
        return real(**{**entry, "idempotency_key": random_code(20)})

    patch.setattr(settle, "post_entry", post)


@fault
def the_fee_is_credited_too(patch: pytest.MonkeyPatch) -> None:
    real = settle.record_completion

    def record(*, payment_id: int, told: Any, now: Any) -> None:
        fee = Payment.objects.get(pk=payment_id).fee
        real(payment_id=payment_id, told=replace(told, amount=told.amount + fee), now=now)

    patch.setattr(settle, "record_completion", record)


@fault
def what_is_credited_is_less_than_what_came(patch: pytest.MonkeyPatch) -> None:
    real = settle.post_entry

    def post(**entry: Any) -> Any:
        return real(**{**entry, "amount": max(entry["amount"] - 310, Decimal(1))})

    patch.setattr(settle, "post_entry", post)


@fault
def late_money_is_dropped(patch: pytest.MonkeyPatch) -> None:
    _skip_orders_that_are(patch, OrderStatus.EXPIRED, OrderStatus.CANCELLED)


@fault
def the_second_payment_is_ignored(patch: pytest.MonkeyPatch) -> None:
    _skip_orders_that_are(patch, OrderStatus.PAID)


def _skip_orders_that_are(patch: pytest.MonkeyPatch, *states: OrderStatus) -> None:
    real = settle._apply_to_order

    def apply(payment: Any, order: Any, *rest: Any) -> None:
        if order.status not in states:
            real(payment, order, *rest)

    patch.setattr(settle, "_apply_to_order", apply)


@fault
def another_amount_pays_the_order(patch: pytest.MonkeyPatch) -> None:
    real = settle._apply_to_order

    def apply(payment: Any, *rest: Any) -> None:
        payment.amount = payment.received_amount
        real(payment, *rest)

    patch.setattr(settle, "_apply_to_order", apply)


@fault
def an_ended_payment_is_not_watched(patch: pytest.MonkeyPatch) -> None:
    real = Payment.objects.__class__.due_for_check

    def due(rows: Any, now: Any) -> Any:
        return real(rows, now).filter(ended_at=None)

    patch.setattr("payments.models.PaymentQuerySet.due_for_check", due)


@fault
def an_effect_that_failed_is_not_repeated(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("operations.sweep.resume_completion", nothing)


@fault
def a_webhook_is_believed(patch: pytest.MonkeyPatch) -> None:
    real = events.ask_gateway

    def believe(*, payment_id: int, now: Any, txn_id: str | None = None) -> Any:
        told = real(payment_id=payment_id, now=now, txn_id=txn_id)
        return told and replace(told, status="completed")

    patch.setattr(events, "ask_gateway", believe)


@fault
def an_order_expires_though_its_money_has_come(patch: pytest.MonkeyPatch) -> None:
    def unpaid(*, order: Any) -> list[Payment]:
        return list(order.payments.open())

    patch.setattr(expiry, "lock_unpaid", unpaid)
    patch.setattr("operations.sweep.resume_completion", nothing)
    patch.setattr("payments.models.PaymentQuerySet.unapplied", lambda rows: rows.none())


@fault
def a_balance_buys_without_its_ledger_entry(patch: pytest.MonkeyPatch) -> None:
    def spend(*, customer_id: int, amount: Decimal, **_rest: Any) -> None:
        customer = Customer.objects.lock().get(pk=customer_id)
        customer.account_balance = max(customer.account_balance + amount, Decimal(0))
        customer.save(update_fields=["account_balance"])

    patch.setattr(checkout, "post_entry", spend)


@fault
def goods_bought_from_the_balance_cost_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(checkout, "post_entry", nothing)


@fault
def a_payment_stays_open_when_its_order_ends(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(expiry, "end_payment", nothing)
    patch.setattr(closing, "end_payment", nothing)


@fault
def the_goods_are_never_sent(patch: pytest.MonkeyPatch) -> None:
    real = fulfilment._tell

    def tell(order: Any, kind: str, **rest: Any) -> None:
        if kind != "order_delivered":
            real(order, kind, **rest)

    patch.setattr(fulfilment, "_tell", tell)


@fault
def a_message_counts_as_sent_before_it_is(patch: pytest.MonkeyPatch) -> None:
    real = delivery.record_outcome

    def record(each: Any, now: Any) -> str:
        each.error, each.progress.message_id = None, each.progress.message_id or 1
        return real(each, now)

    patch.setattr(delivery, "record_outcome", record)


@fault
def a_message_whose_sender_died_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    real = delivery._claim

    def claim(now: Any, limit: int) -> list[OutboxMessage]:
        OutboxMessage.objects.pending().filter(leased_until__lt=now).update(state="dropped")
        return real(now, limit)

    patch.setattr(delivery, "_claim", claim)


@fault
def a_refused_message_is_given_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(outcomes, "postpone", outcomes.fail)


@fault
def a_debit_may_exceed_the_balance(patch: pytest.MonkeyPatch) -> None:
    real = balance.post_entry

    def post(**entry: Any) -> Any:
        owned = Customer.objects.get(pk=entry["customer_id"]).account_balance
        return real(**{**entry, "amount": max(entry["amount"], -owned) or Decimal(1)})

    patch.setattr(checkout, "post_entry", post)
