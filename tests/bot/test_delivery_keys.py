"""Goods that no key of STOCK_KEYS opens: never sent as they are stored, and kept for the key."""

from typing import Any

import pytest
from cryptography.fernet import Fernet

from accounts.models import Customer
from catalog.models import StockItem
from core.models import OutboxMessage, OutboxState
from orders.models import Order
from payments.models import Case
from tests.bot.harness import BotHarness, Chat
from tests.bot.post import known
from tests.world import World


@pytest.fixture
def sari(shop_bot: BotHarness, world: World) -> Chat:
    chat = known(shop_bot)
    world.credit(chat.customer, 100_000)
    return chat


def test_they_wait_and_staff_hear_of_it_at_once(
    shop_bot: BotHarness, sari: Chat, order: Order, settings: Any
) -> None:
    rina = known(shop_bot, "Rina")
    Customer.objects.filter(pk=rina.user_id).update(is_admin=True)
    settings.STOCK_KEYS = [Fernet.generate_key().decode()]
    shop_bot.deliver()
    row = OutboxMessage.objects.get(kind="order_delivered")
    assert row.state == OutboxState.PENDING
    assert row.error.startswith("DecryptionError: ")
    case = Case.objects.get()
    assert (case.kind, case.order) == ("delivery_failed", order)
    assert any(order.invoice_id in text and "tidak bisa" in text for text in rina.texts)
    token = bytes(StockItem.objects.get().content).decode()
    assert not any(token[:20] in text for text in (*sari.texts, *rina.texts, row.error))
    order.refresh_from_db()
    assert order.delivered_at is None


def test_they_go_out_when_the_key_is_back_however_often_they_were_tried(
    shop_bot: BotHarness, sari: Chat, order: Order, settings: Any
) -> None:
    keys, settings.STOCK_KEYS = settings.STOCK_KEYS, [Fernet.generate_key().decode()]
    rows = OutboxMessage.objects.filter(kind="order_delivered")
    for _ in range(15):
        rows.update(not_before=None)
        shop_bot.deliver()
    assert rows.get().state == OutboxState.PENDING
    settings.STOCK_KEYS = keys
    rows.update(not_before=None)
    shop_bot.deliver()
    order.refresh_from_db()
    assert order.delivered_at is not None
    assert "the:goods" in sari.last.text
    assert Case.objects.count() == 1
