"""What customer and staff read about a refund."""

import re
from typing import Any

import pytest

from accounts.models import Customer
from core.models import OutboxMessage
from orders.models import OrderItem
from orders.services.refund_quotes import quote_refund
from orders.services.refunds import record_refund_outside, refund_to_balance
from telegram_bot.messages import render_message
from telegram_bot.shortcuts import path_to
from tests.bot.flows import settle_stand_ins
from tests.bot.harness import BotHarness
from tests.orders.steps import delivered
from tests.world import World

STAFF = {"actor": "staff:sari", "source": "admin"}


@pytest.fixture
def item(world: World) -> OrderItem:
    item = delivered(world, quantity=2)
    OrderItem.objects.filter(pk=item.pk).update(product_name="Kopi <b>Digital</b>")
    return item


def refund(world: World, item: OrderItem, *, outside: bool) -> None:
    request = quote_refund(order_item_id=item.pk, now=world.now).request
    if outside:
        record_refund_outside(request=request, note="cash", now=world.now, **STAFF)
    else:
        refund_to_balance(request=request, now=world.now, **STAFF)


def text(kind: str, customer: Customer | None) -> str:
    message = OutboxMessage.objects.get(kind=kind)
    rendered = render_message(message, customer)
    assert rendered is not None
    assert "<b>Digital</b>" not in rendered.screen.text
    return re.sub(r"</?(b|code)>", "", rendered.screen.text)


def test_the_customer_reads_what_came_back_and_for_what(world: World, item: OrderItem) -> None:
    refund(world, item, outside=False)
    said = text("refund_credited", item.order.customer)
    for part in ("Rp80.000 kembali ke saldo kamu", item.order.invoice_id, "2 × Kopi"):
        assert part in said


def test_what_was_paid_outside_is_not_looked_for_on_the_balance(
    world: World, item: OrderItem
) -> None:
    refund(world, item, outside=True)
    said = text("refund_paid", item.order.customer)
    assert "Rp80.000 sudah kami kembalikan ke kamu" in said
    assert "Tidak masuk ke saldo" in said
    assert "Refund dibayar di luar toko" in text("staff_refund", None)


def test_staff_read_who_got_it(world: World, item: OrderItem) -> None:
    refund(world, item, outside=False)
    said = text("staff_refund", None)
    for part in ("Refund ke saldo", item.order.invoice_id, "Sari", "Rp80.000"):
        assert part in said


def test_goods_that_were_given_back_before_they_arrived_are_shown_nowhere(
    shop_bot: BotHarness, world: World, settings: Any
) -> None:
    settle_stand_ins(settings)
    budi = shop_bot.chat_of(world.customer(balance=100_000))
    order = world.paid(budi.customer, world.product(stock=["secret:x"]))
    refund(world, order.items.get(), outside=False)
    shop_bot.deliver()
    assert [message.text.splitlines()[0] for message in budi.messages] == [
        "💸 Rp50.000 kembali ke saldo kamu"
    ]
    budi.press_path(path_to("order", order.pk))
    assert "Pesanan ini sudah direfund" in budi.last.text
    budi.press_path(path_to("goods", order.pk))
    assert "secret:x" not in "".join(budi.texts)
