"""Telegram fails in every way it has; nothing is lost, nothing is allocated twice.

Each test tells the fault table how often its fault was really injected, by the stand-in's count.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import ProductKind, StockItem, StockState
from core.models import OutboxMessage, OutboxState
from operations.invariants import broken_invariants
from orders.models import Order, OrderItem, OrderStatus
from payments.models import Case, CaseKind, Payment
from sandbox.telegram.models import Message
from telegram_bot.delivery import DeliveryReport, deliver_outbox
from tests.bot.flows import open_summary, settle_stand_ins
from tests.bot.harness import BotHarness, Chat
from tests.bot.post import known
from tests.world import World

NOW = timezone.now()
RecordProperty = Callable[[str, object], None]
Tell = Callable[[], None]


@pytest.fixture
def sari(shop_bot: BotHarness, world: World, settings: Any) -> Chat:
    settle_stand_ins(settings)
    world.now = NOW
    chat = known(shop_bot)
    world.credit(chat.customer, 100_000)
    return chat


@pytest.fixture
def tell(shop_bot: BotHarness, record_property: RecordProperty) -> Tell:
    """Report the counts, once everything is at rest, and that none of them is bad."""

    def report() -> None:
        counts = counted(shop_bot)
        for name, number in counts.items():
            record_property(name, number)
        assert counts["injected"] > 0
        assert (counts["lost"], counts["doubled"]) == (0, 0)
        assert broken_invariants(timezone.now()) == []

    return report


def counted(bot: BotHarness) -> dict[str, int]:
    paid = Order.objects.filter(status=OrderStatus.PAID)
    told = Case.objects.filter(kind=CaseKind.DELIVERY_FAILED, closed_at=None)
    lost = paid.filter(delivered_at=None).exclude(pk__in=told.values("order"))
    bought = OrderItem.objects.filter(order__in=paid, product__kind=ProductKind.UNIQUE)
    sold = StockItem.objects.filter(state=StockState.SOLD).count()
    return {
        "injected": used(bot),
        "orders": Order.objects.count(),
        "lost": lost.count(),
        "doubled": sold - sum(bought.values_list("quantity", flat=True)),
    }


def used(bot: BotHarness) -> int:
    faults = bot.driver.get("/sandbox/api/faults/")["faults"]
    return sum(fault["used"] for fault in faults)


def buy(world: World, chat: Chat, *goods: str) -> Order:
    """Pay from the balance; only the message with the goods is left to send."""
    order = world.paid(
        chat.customer, world.product(stock=list(goods), price=1000), quantity=len(goods)
    )
    OutboxMessage.objects.pending().exclude(kind="order_delivered").delete()
    return order


def deliver(**after: float) -> DeliveryReport:
    return deliver_outbox(now=NOW + timedelta(**after))


def row_of(order: Order) -> OutboxMessage:
    return OutboxMessage.objects.get(dedupe_key=f"order_delivered:{order.pk}")


def copies(chat: Chat, words: str) -> int:
    return sum(words in text for text in chat.texts)


def qr_of(shop_bot: BotHarness, world: World, chat: Chat) -> int:
    """Order, and return the id of the message with the QR code."""
    open_summary(chat, world.product(stock=["the:goods"]))
    chat.press("QRIS")
    shop_bot.run_jobs()
    return chat.last.id


@pytest.mark.fault("telegram: 429 with retry_after")
def test_only_the_chat_that_is_told_waits_with_all_its_rows(
    shop_bot: BotHarness, world: World, sari: Chat, tell: Tell
) -> None:
    budi = known(shop_bot, "Budi")
    world.credit(budi.customer, 100_000)
    first, others = buy(world, sari, "one"), buy(world, budi, "three")
    shop_bot.fault("sendMessage", chat_id=sari.id, error_code=429, retry_after=30)
    assert deliver() == DeliveryReport(sent=1, postponed=1)
    second = buy(world, sari, "two")
    OutboxMessage.objects.filter(pk=row_of(second).pk).update(priority=1)  # before the first
    assert deliver(seconds=29) == DeliveryReport()
    assert (copies(sari, "one"), copies(sari, "two"), copies(budi, "three")) == (0, 0, 1)
    assert deliver(seconds=30) == DeliveryReport(sent=2)
    assert (copies(sari, "one"), copies(sari, "two")) == (1, 1)
    assert (row_of(first).attempts, row_of(second).attempts, row_of(others).attempts) == (2, 1, 1)
    assert used(shop_bot) == 1
    tell()


@pytest.mark.fault("telegram: 429 on a part of a message")
def test_a_part_that_must_wait_goes_on_there(
    shop_bot: BotHarness, world: World, sari: Chat, tell: Tell
) -> None:
    line = "a line of goods that is rather long " * 10
    order = buy(world, sari, *(f"{n} {line}".strip() for n in range(20)))
    shop_bot.fault("sendDocument", error_code=429, retry_after=20)
    assert deliver() == DeliveryReport(postponed=1)
    assert copies(sari, order.invoice_id) == 1
    assert deliver(seconds=19) == DeliveryReport()
    assert deliver(seconds=20) == DeliveryReport(sent=1)
    assert copies(sari, order.invoice_id) == 1
    assert sari.last.file_name == f"{order.invoice_id}.txt"
    tell()


@pytest.mark.fault("telegram: 403 blocked by the customer")
def test_goods_wait_for_a_customer_who_blocked_the_bot(
    shop_bot: BotHarness, world: World, sari: Chat, tell: Tell
) -> None:
    order = buy(world, sari, "one")
    shop_bot.fault("sendMessage", chat_id=sari.id, error_code=403)
    assert deliver() == DeliveryReport(blocked=1)
    assert deliver(days=3) == DeliveryReport()
    assert (row_of(order).state, row_of(order).attempts) == (OutboxState.BLOCKED, 1)
    assert sari.customer.blocked_bot_at is not None
    sari.send("/start")
    assert sari.customer.blocked_bot_at is None
    assert deliver() == DeliveryReport(sent=1)
    assert copies(sari, "one") == 1
    tell()


@pytest.mark.fault("telegram: 403 between text and file")
def test_a_block_in_the_middle_leaves_the_rest_for_later(
    shop_bot: BotHarness, world: World, sari: Chat, tell: Tell
) -> None:
    order = world.paid(sari.customer, world.product(kind="file"))
    OutboxMessage.objects.pending().exclude(kind="order_delivered").delete()
    shop_bot.fault("sendDocument", chat_id=sari.id, error_code=403)
    assert deliver() == DeliveryReport(blocked=1)
    sari.send("/start")
    assert deliver() == DeliveryReport(sent=1)
    assert copies(sari, order.invoice_id) == 1
    assert sari.last.file_name == "course.pdf"
    assert used(shop_bot) == 1
    tell()


@pytest.mark.fault("telegram: 403 removed from a staff group")
def test_a_group_without_the_bot_is_not_tried_for_ever(
    shop_bot: BotHarness, world: World, sari: Chat, tell: Tell
) -> None:
    group = shop_bot.staff_group()
    world.paid(sari.customer, world.product(stock=["one"]))
    shop_bot.fault("sendMessage", chat_id=group.id, error_code=403)
    assert deliver() == DeliveryReport(sent=1, blocked=1)
    assert deliver(days=3) == DeliveryReport()
    row = OutboxMessage.objects.get(recipient=group.id)
    assert (row.state, row.attempts) == (OutboxState.BLOCKED, 1)
    tell()


@pytest.mark.fault("telegram: timeout after effect")
def test_what_may_have_arrived_is_sent_again(
    shop_bot: BotHarness, world: World, sari: Chat, tell: Tell
) -> None:
    order = buy(world, sari, "one")
    shop_bot.fault("sendMessage", chat_id=sari.id, error_code=0, after_effect=True)
    assert deliver() == DeliveryReport(postponed=1)
    assert deliver(seconds=2) == DeliveryReport(sent=1)
    assert copies(sari, "one") == 2
    assert (row_of(order).state, row_of(order).attempts) == (OutboxState.SENT, 2)
    tell()


@pytest.mark.fault("telegram: message is not modified")
def test_not_modified_is_as_good_as_edited(
    shop_bot: BotHarness, world: World, sari: Chat, tell: Tell
) -> None:
    qr_of(shop_bot, world, sari)
    refusals = {
        "deleteMessage": "Bad Request: message can't be deleted for everyone",
        "editMessageText": "Bad Request: message is not modified: exactly the same",
    }
    for method, description in refusals.items():
        shop_bot.fault(method, chat_id=sari.id, error_code=400, description=description)
    shop_bot.pay(Payment.objects.get())
    assert copies(sari, "the:goods") == 1
    assert not OutboxMessage.objects.pending().exists()
    assert used(shop_bot) == 2
    tell()


@pytest.mark.fault("telegram: message too old to delete")
def test_a_code_too_old_to_delete_is_crossed_out(
    shop_bot: BotHarness, world: World, sari: Chat, record_property: RecordProperty
) -> None:
    message_id = qr_of(shop_bot, world, sari)
    sent_at = timezone.now() - timedelta(hours=49)
    Message.objects.filter(message_id=message_id).update(sent_at=sent_at)
    shop_bot.pay(Payment.objects.get())
    refused = [call for call in shop_bot.calls("deleteMessage") if call["error_code"] == 400]
    (left,) = (message for message in sari.messages if message.id == message_id)
    assert ("tidak berlaku" in left.text, left.buttons) == (True, [])
    assert copies(sari, "the:goods") == 1
    counts = counted(shop_bot) | {"injected": len(refused)}
    assert (counts["injected"], counts["lost"], counts["doubled"]) == (1, 0, 0)
    for name, number in counts.items():
        record_property(name, number)


@pytest.mark.fault("telegram: 502 on every deletion")
def test_the_goods_do_not_wait_for_a_deletion(
    shop_bot: BotHarness, world: World, sari: Chat, tell: Tell
) -> None:
    message_id = qr_of(shop_bot, world, sari)
    shop_bot.fault("deleteMessage", error_code=502, times=3)
    shop_bot.pay(Payment.objects.get())
    assert copies(sari, "the:goods") == 1
    for minutes in (1, 2):
        deliver_outbox(now=timezone.now() + timedelta(minutes=minutes))
    assert message_id not in {message.id for message in sari.messages}
    assert not OutboxMessage.objects.pending().exists()
    assert used(shop_bot) == 3
    tell()


@pytest.mark.fault("telegram: 400 for good")
def test_what_telegram_refuses_for_good_is_a_case_and_not_tried_again(
    shop_bot: BotHarness, world: World, sari: Chat, tell: Tell
) -> None:
    order = buy(world, sari, "one")
    description = "Bad Request: chat not found"
    shop_bot.fault(
        "sendMessage", chat_id=sari.id, error_code=400, description=description, times=10
    )
    assert deliver() == DeliveryReport(failed=1)
    assert deliver(days=3) == DeliveryReport()
    row = row_of(order)
    assert (row.state, row.attempts, row.error) == (
        OutboxState.FAILED,
        1,
        "BadRequest: Chat not found",
    )
    assert Case.objects.get().order == order
    assert used(shop_bot) == 1
    tell()


@pytest.mark.fault("telegram: 502 for half an hour")
def test_an_outage_ends_with_the_goods(
    shop_bot: BotHarness, world: World, sari: Chat, tell: Tell
) -> None:
    order = buy(world, sari, "one")
    shop_bot.fault("sendMessage", chat_id=sari.id, error_code=502, times=12)
    for minutes in range(0, 90, 6):
        deliver(minutes=minutes)
    assert copies(sari, "one") == 1
    assert (row_of(order).state, row_of(order).attempts) == (OutboxState.SENT, 13)
    assert used(shop_bot) == 12
    tell()
