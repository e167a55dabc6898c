"""An order's page says all that happened: its end before late money, the fee, who was told."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import StaffChat
from backoffice.admin.order_timeline import order_timeline
from backoffice.message_names import NAMES
from catalog.models import Product
from core.models import OutboxMessage, OutboxState
from orders.models import Order, OrderStatus
from payments.models import Payment
from payments.services.cancel import cancel_order
from telegram_bot import messages as texts
from telegram_bot.delivery import _fan_out
from tests.backoffice.pages import url, words
from tests.bank import Bank
from tests.payments.steps import expire, handle_events, opened
from tests.world import World

pytestmark = pytest.mark.django_db


def story(payment: Payment) -> list[str]:
    order = Order.objects.get(pk=payment.order_id)
    timeline = order_timeline(order, list(order.payments.order_by("pk")))
    return [step.text.replace(payment.reference, "QC") for step in timeline.steps]


def end(world: World, payment: Payment, how: str) -> None:
    if how == "expired":
        world.later(minutes=10, seconds=15)
        expire(world)
        return
    world.later(minutes=1)
    assert payment.order_id is not None
    cancel_order(order_id=payment.order_id, customer_id=payment.customer_id, now=world.now)


def pay_late(world: World, bank: Bank, payment: Payment) -> None:
    world.later(minutes=2)
    bank.pay(payment)
    handle_events(world)


ENDS = {
    "expired": "Expired unpaid: its goods were free for others",
    "cancelled": "Cancelled by the customer: its goods were free for others",
}


@pytest.mark.parametrize("clock", ["same", "other"])
@pytest.mark.parametrize("how", list(ENDS))
def test_an_end_is_told_although_late_money_opened_the_order_again(
    world: World, bank: Bank, how: str, clock: str
) -> None:
    payment = opened(world, world.customer(), world.product())
    end(world, payment, how)
    message = OutboxMessage.objects.filter(kind=f"order_{how}")
    payment.refresh_from_db()
    written = payment.ended_at if clock == "same" else world.now.replace(year=2000)
    assert message.update(created_at=written) == 1
    pay_late(world, bank, payment)
    order = Order.objects.get()
    assert (order.status, order.ended_at) == (OrderStatus.PAID, None)
    assert story(payment) == [
        "Placed, to be paid by QRIS",
        "QR code QC made",
        "QR code QC ended",
        ENDS[how],
        "Gateway reports Rp50.000 paid, after the QR code had ended",
        "Paid late: the goods were still there, so the order was kept",
    ]


def test_money_that_came_too_late_for_the_goods_is_told_as_credited(
    world: World, bank: Bank
) -> None:
    payment = opened(world, world.customer(), world.product())
    end(world, payment, "expired")
    Product.objects.update(is_active=False)
    pay_late(world, bank, payment)
    assert story(payment)[-3:] == [
        ENDS["expired"],
        "Gateway reports Rp50.000 paid, after the QR code had ended",
        "Rp50.000 put on the customer's balance",
    ]


def test_an_order_paid_in_time_has_no_end(world: World, bank: Bank) -> None:
    payment = opened(world, world.customer(), world.product())
    pay_late(world, bank, payment)
    assert story(payment)[-2:] == ["Gateway reports Rp50.000 paid", "Paid"]


@pytest.fixture
def paid_order(world: World, bank: Bank) -> Order:
    payment = opened(world, world.customer(name="Budi"), world.product(price=25_000))
    Payment.objects.filter(pk=payment.pk).update(fee=485, total_payment=25_485)
    pay_late(world, bank, payment)
    return Order.objects.get()


def test_what_the_customer_paid_in_all_stands_beside_what_the_shop_received(
    owner: Client, paid_order: Order
) -> None:
    payment = paid_order.payments.get()
    in_all = "Rp25.485 = Rp25.000 + fee Rp485"
    order_page = words(owner.get(url(Order, "change", paid_order.pk)))
    assert f"Customer paid {in_all}" in order_page
    page = words(owner.get(url(Payment, "change", payment.pk)))
    assert f"Asked of the customer {in_all} Customer paid {in_all}" in page
    assert "Received for the shop Rp25.000" in page


def test_the_list_of_payments_shows_both_sums(owner: Client, paid_order: Order) -> None:
    page = "".join(words(owner.get(url(Payment, "changelist"))).split())
    assert "completedRp25.485Rp25.000" in page


def test_another_amount_is_not_said_to_be_the_one_with_our_fee(
    owner: Client, paid_order: Order
) -> None:
    Payment.objects.update(received_amount=20_000)
    page = words(owner.get(url(Payment, "change", Payment.objects.get().pk)))
    assert "Customer paid Rp20.000 before the fee" in page


def test_what_is_not_paid_was_paid_by_nobody(owner: Client, world: World, bank: Bank) -> None:
    payment = opened(world, world.customer(), world.product())
    page = words(owner.get(url(Payment, "change", payment.pk)))
    assert "Customer paid –" in page
    assert "Customer paid –" in words(owner.get(url(Order, "change", payment.order_id)))


def notifications(client: Client, order: Order) -> list[Any]:
    panels = client.get(url(Order, "change", order.pk)).context["panels"]
    [panel] = [panel for panel in panels if panel.title == "Notifications"]
    return [tuple(str(cell) for cell in row[:3]) for row in panel.rows]


def test_staff_are_listed_once_each_and_by_name(
    owner: Client, world: World, paid_order: Order
) -> None:
    world.customer(name="Ani", is_admin=True)
    StaffChat.objects.create(chat_id=-5, title="Gudang")
    row = OutboxMessage.objects.get(kind="staff_order_paid")
    _fan_out(row, world.now)
    told = [line for line in notifications(owner, paid_order) if "to staff" in line[0]]
    assert [who for _name, who, _state in told] == ["Ani", "Gudang"]
    assert all("New paid order, to staff" in name for name, _who, _state in told)
    listed = words(owner.get(url(OutboxMessage, "changelist")))
    assert "passed on, a copy each" in listed
    assert "New paid order, to staff" in listed


def test_before_it_is_passed_on_it_is_for_all_staff(owner: Client, paid_order: Order) -> None:
    told = [line for line in notifications(owner, paid_order) if "to staff" in line[0]]
    assert [who for _name, who, _state in told] == ["all staff"]


def test_nobody_to_tell_is_said(owner: Client, paid_order: Order) -> None:
    rows = OutboxMessage.objects.filter(kind="staff_order_paid")
    rows.update(state=OutboxState.DROPPED, sent_at=paid_order.paid_at)
    assert "dropped: nobody to tell" in words(owner.get(url(Order, "change", paid_order.pk)))


def test_every_kind_of_message_has_a_name() -> None:
    assert set(texts.MESSAGES) == set(NAMES)
