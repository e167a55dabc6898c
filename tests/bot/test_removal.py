"""A QR code goes away when its order ends, whatever Telegram says; the news never waits for it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.models import OutboxMessage, OutboxPriority, OutboxState
from orders.models import Order
from payments.models import Payment
from sandbox.telegram.models import Message
from tests.bot.flows import open_summary, settle_stand_ins
from tests.bot.harness import BotHarness, Chat
from tests.bot.post import known
from tests.bot.seen import SeenMessage
from tests.world import World

OVER = "tidak berlaku"


@pytest.fixture
def sari(shop_bot: BotHarness, settings: Any) -> Chat:
    settle_stand_ins(settings)
    return known(shop_bot)


@pytest.fixture
def qr(shop_bot: BotHarness, world: World, sari: Chat) -> SeenMessage:
    """The QR code of an order just placed."""
    open_summary(sari, world.product(stock=["the:goods"]))
    sari.press("QRIS")
    shop_bot.run_jobs()
    assert sari.last.photo
    assert sari.last.buttons
    return sari.last


def pay(shop_bot: BotHarness) -> None:
    shop_bot.pay(Payment.objects.get())


def standing(chat: Chat, qr: SeenMessage) -> SeenMessage | None:
    return next((message for message in chat.messages if message.id == qr.id), None)


def goods_arrived(chat: Chat) -> bool:
    return "the:goods" in chat.last.text


def removal() -> OutboxMessage:
    return OutboxMessage.objects.get(kind="message_removal")


def grow_old(qr: SeenMessage) -> None:
    two_days_ago = timezone.now() - timedelta(hours=49)
    Message.objects.filter(message_id=qr.id).update(sent_at=two_days_ago)


def refuse(bot: BotHarness, method: str, description: str, **fault: Any) -> None:
    bot.fault(method, error_code=400, description=f"Bad Request: {description}", **fault)


def test_it_is_deleted_when_paid(shop_bot: BotHarness, sari: Chat, qr: SeenMessage) -> None:
    pay(shop_bot)
    assert standing(sari, qr) is None
    assert goods_arrived(sari)
    assert not OutboxMessage.objects.filter(kind="message_removal").exists()


def test_too_old_to_delete_it_is_edited_so_that_nobody_pays_from_it(
    shop_bot: BotHarness, sari: Chat, qr: SeenMessage
) -> None:
    grow_old(qr)
    pay(shop_bot)
    left = standing(sari, qr)
    assert left is not None
    assert OVER in left.text
    assert left.buttons == []
    assert sari.file(left) != sari.file(qr)
    assert goods_arrived(sari)


def test_edited_already_is_as_good(shop_bot: BotHarness, sari: Chat, qr: SeenMessage) -> None:
    refuse(shop_bot, "deleteMessage", "message can't be deleted for everyone")
    refuse(shop_bot, "editMessageText", "message is not modified: exactly the same")
    pay(shop_bot)
    assert shop_bot.calls("editMessageMedia") == []
    assert goods_arrived(sari)


def test_a_picture_that_cannot_be_replaced_says_it_below(
    shop_bot: BotHarness, sari: Chat, qr: SeenMessage
) -> None:
    grow_old(qr)
    refuse(shop_bot, "editMessageMedia", "wrong type of the web page content")
    pay(shop_bot)
    left = standing(sari, qr)
    assert left is not None
    assert (OVER in left.text, left.buttons) == (True, [])
    assert goods_arrived(sari)


def test_what_can_neither_be_deleted_nor_edited_stays_and_the_goods_come(
    shop_bot: BotHarness, sari: Chat, qr: SeenMessage
) -> None:
    grow_old(qr)
    for method in ("editMessageText", "editMessageMedia", "editMessageCaption"):
        refuse(shop_bot, method, "message can't be edited")
    pay(shop_bot)
    assert standing(sari, qr) == qr
    assert goods_arrived(sari)
    assert not OutboxMessage.objects.pending().exists()


def test_deleted_by_hand_is_not_edited(shop_bot: BotHarness, sari: Chat, qr: SeenMessage) -> None:
    Message.objects.filter(message_id=qr.id).update(is_deleted=True)
    edits = len(shop_bot.calls("editMessageText"))
    pay(shop_bot)
    assert len(shop_bot.calls("editMessageText")) == edits
    assert goods_arrived(sari)


def test_out_of_reach_it_is_tried_again_by_itself_and_the_goods_do_not_wait(
    shop_bot: BotHarness, sari: Chat, qr: SeenMessage
) -> None:
    shop_bot.fault("deleteMessage", error_code=502, times=2)
    pay(shop_bot)
    assert goods_arrived(sari)
    assert Order.objects.get().delivered_at is not None
    assert standing(sari, qr) is not None
    row = removal()
    assert (row.state, row.attempts, row.priority) == ("pending", 1, OutboxPriority.NOTICE)
    assert row.references == {"chat_id": sari.id, "message_id": qr.id}
    assert row.not_before is not None
    shop_bot.deliver(row.not_before)
    assert standing(sari, qr) is None
    assert removal().state == OutboxState.SENT


def test_a_cancelled_orders_code_delays_no_later_message(
    shop_bot: BotHarness, world: World, sari: Chat, qr: SeenMessage
) -> None:
    # Twice for the button's own screen, once for the outbox, once for the removal by itself.
    shop_bot.fault("deleteMessage", error_code=502, times=4)
    sari.press("Batalkan", qr)
    shop_bot.deliver()
    assert OutboxMessage.objects.get(kind="order_cancelled").state == OutboxState.SENT
    assert removal().state == OutboxState.PENDING
    world.credit(sari.customer, 100_000)
    world.paid(sari.customer, world.product(stock=["other:goods"]))
    shop_bot.deliver()
    assert "other:goods" in sari.last.text


def test_when_telegram_says_wait_the_chat_waits_with_everything(
    shop_bot: BotHarness, sari: Chat, qr: SeenMessage
) -> None:
    shop_bot.fault("deleteMessage", error_code=429, retry_after=30)
    pay(shop_bot)
    assert not goods_arrived(sari)
    row = OutboxMessage.objects.get(kind="order_delivered")
    assert row.chat_waits_until == row.not_before
    assert row.not_before is not None
    shop_bot.deliver(row.not_before)
    assert goods_arrived(sari)
    assert standing(sari, qr) is None


def test_a_message_halfway_sent_keeps_what_it_could_not_take_away(
    shop_bot: BotHarness, world: World, sari: Chat
) -> None:
    open_summary(sari, world.product(kind="file"))
    sari.press("QRIS")
    shop_bot.run_jobs()
    qr = sari.last
    shop_bot.fault("deleteMessage", error_code=502)
    shop_bot.fault("sendDocument", error_code=502)
    pay(shop_bot)
    assert OutboxMessage.objects.get(kind="order_delivered").state == OutboxState.PENDING
    shop_bot.deliver(timezone.now() + timedelta(minutes=1))
    assert sari.last.file_name == "course.pdf"
    assert standing(sari, qr) is None
