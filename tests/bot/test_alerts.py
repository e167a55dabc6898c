"""Staff hear once of a message that does not arrive, and that it has arrived after all."""

from datetime import datetime, timedelta

import pytest

from core.models import OutboxMessage, OutboxPriority, OutboxState
from payments.services.expiry import expire_order
from telegram_bot.alerts import KEEPS_FAILING
from telegram_bot.delivery import deliver_outbox
from tests.bot.harness import BotHarness, Chat
from tests.bot.post import known
from tests.world import World

STUCK, ARRIVED = "belum sampai", "akhirnya sampai"


@pytest.fixture
def sari(shop_bot: BotHarness) -> Chat:
    return known(shop_bot)


@pytest.fixture
def goods(shop_bot: BotHarness, world: World, sari: Chat) -> OutboxMessage:
    world.credit(sari.customer, 100_000)
    world.paid(sari.customer, world.product(stock=["the:goods"]))
    OutboxMessage.objects.exclude(kind="order_delivered").delete()
    return OutboxMessage.objects.get()


def fail_until(bot: BotHarness, chat: Chat, end: datetime) -> int:
    """Deliver with Telegram failing for this chat, from now to `end`; return how often it did."""
    bot.fault("sendMessage", chat_id=chat.id, error_code=502, times=1000)
    row, times = OutboxMessage.objects.get(recipient=chat.id), 0
    at = row.created_at
    while at < end:
        deliver_outbox(now=at)
        times += 1
        row.refresh_from_db()
        assert row.not_before is not None
        at = row.not_before
    return times


def heard(chat: Chat, words: str) -> int:
    return sum(words in text for text in chat.texts)


def test_they_hear_once_after_ten_minutes_and_once_when_it_has_arrived(
    shop_bot: BotHarness, sari: Chat, rina: Chat, goods: OutboxMessage
) -> None:
    soon = goods.created_at + KEEPS_FAILING - timedelta(minutes=5)
    assert fail_until(shop_bot, sari, soon) > 5
    assert heard(rina, STUCK) == 0
    fail_until(shop_bot, sari, goods.created_at + timedelta(hours=2))
    assert heard(rina, STUCK) == 1
    (told,) = (text for text in rina.texts if STUCK in text)
    assert sari.customer.name in told
    assert "TRX" in told
    assert "the:goods" not in told
    shop_bot.driver.delete("/sandbox/api/faults/")
    for _ in range(2):
        deliver_outbox(now=goods.created_at + timedelta(hours=3))
    assert "the:goods" in sari.last.text
    assert (heard(rina, STUCK), heard(rina, ARRIVED)) == (1, 1)


def test_when_it_arrives_before_staff_could_be_told_they_hear_nothing(
    shop_bot: BotHarness, sari: Chat, rina: Chat, goods: OutboxMessage
) -> None:
    shop_bot.fault("sendMessage", chat_id=rina.id, error_code=502, times=1000)
    fail_until(shop_bot, sari, goods.created_at + timedelta(hours=1))
    shop_bot.driver.delete("/sandbox/api/faults/")
    shop_bot.fault("sendMessage", chat_id=rina.id, error_code=502)
    for hours in (2, 3):
        deliver_outbox(now=goods.created_at + timedelta(hours=hours))
    assert "the:goods" in sari.last.text
    assert (heard(rina, STUCK), heard(rina, ARRIVED)) == (0, 0)
    assert not OutboxMessage.objects.pending().exists()


def test_what_is_refused_for_good_is_told_at_once(
    shop_bot: BotHarness, world: World, sari: Chat, rina: Chat
) -> None:
    payment = world.qris(sari.customer, world.product())
    expire_order(order_id=payment.order_id, now=world.later(hours=1))
    description = "Bad Request: chat not found"
    shop_bot.fault("sendMessage", chat_id=sari.id, error_code=400, description=description)
    shop_bot.deliver()
    row = OutboxMessage.objects.get(recipient=sari.id, kind="order_expired")
    assert row.state == OutboxState.FAILED
    assert heard(rina, STUCK) == 1
    assert heard(rina, "menolaknya untuk seterusnya") == 1


@pytest.mark.parametrize(
    ("kind", "priority"),
    [
        ("staff_order_paid", OutboxPriority.ORDER),
        ("order_delivered", OutboxPriority.BROADCAST),
    ],
)
def test_nobody_is_alerted_about_messages_to_staff_or_broadcasts(
    shop_bot: BotHarness,
    sari: Chat,
    rina: Chat,
    goods: OutboxMessage,
    kind: str,
    priority: OutboxPriority,
) -> None:
    OutboxMessage.objects.update(kind=kind, priority=priority)
    fail_until(shop_bot, sari, goods.created_at + timedelta(hours=1))
    assert OutboxMessage.objects.count() == 1
    goods.refresh_from_db()
    assert (goods.state, goods.alerted_at) == (OutboxState.PENDING, None)
