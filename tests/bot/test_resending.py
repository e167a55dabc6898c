"""Staff send a message again: what did not arrive, or what was paid for; audited, never twice."""

from typing import Any

import pytest

from accounts.services.customers import PAID_FOR
from audit.models import AuditEntry
from catalog.models import StockItem, StockState
from core.models import OutboxMessage, OutboxQuerySet, OutboxState
from orders.models import Order
from telegram_bot.outcomes import OWN_ERRORS, SENT_PARTS
from telegram_bot.resending import NotResendable, resend_message
from tests.bot.harness import BotHarness, Chat
from tests.bot.post import known
from tests.concurrency import overlap, unlocked
from tests.world import World


@pytest.fixture
def sari(shop_bot: BotHarness, world: World) -> Chat:
    chat = known(shop_bot)
    world.credit(chat.customer, 100_000)
    return chat


def goods_row() -> OutboxMessage:
    return OutboxMessage.objects.get(kind="order_delivered")


def resend(world: World, row: OutboxMessage) -> OutboxMessage:
    return resend_message(message_id=row.pk, actor="staff:rina", source="admin", now=world.now)


def arrived(chat: Chat) -> int:
    return sum("the:goods" in text for text in chat.texts)


def test_goods_that_failed_arrive(
    shop_bot: BotHarness, world: World, sari: Chat, order: Order
) -> None:
    shop_bot.fault("sendMessage", chat_id=sari.id, error_code=400)
    shop_bot.deliver()
    assert goods_row().state == OutboxState.FAILED
    row = resend(world, goods_row())
    assert (row.state, row.error, row.attempts, row.leased_until) == ("pending", "", 0, None)
    shop_bot.deliver()
    assert (goods_row().state, arrived(sari)) == (OutboxState.SENT, 1)


def test_goods_that_arrived_are_sent_once_more_and_none_are_added(
    shop_bot: BotHarness, world: World, sari: Chat, order: Order
) -> None:
    shop_bot.deliver()
    order.refresh_from_db()
    delivered_at = order.delivered_at
    resend(world, goods_row())
    shop_bot.deliver()
    order.refresh_from_db()
    assert arrived(sari) == 2
    assert order.delivered_at == delivered_at
    assert StockItem.objects.filter(state=StockState.SOLD).count() == 1


def test_it_is_audited_with_ids_only(world: World, sari: Chat, order: Order) -> None:
    OutboxMessage.objects.update(state=OutboxState.BLOCKED)
    resend(world, goods_row())
    entry = AuditEntry.objects.get(action="resend_message")
    assert (entry.actor, entry.source) == ("staff:rina", "admin")
    assert entry.target == f"outboxmessage:{goods_row().pk}"
    assert (entry.before, entry.after) == ({"state": "blocked"}, {"state": "pending"})


@pytest.mark.parametrize(
    ("state", "references"),
    [(OutboxState.FAILED, {SENT_PARTS: 1}), (OutboxState.SENT, {})],
    ids=["goes on", "from the beginning"],
)
def test_what_stopped_halfway_goes_on_there_what_was_sent_begins_anew(
    world: World, sari: Chat, order: Order, state: str, references: dict[str, Any]
) -> None:
    ours = {**goods_row().references, SENT_PARTS: 1, OWN_ERRORS: 12}
    OutboxMessage.objects.update(state=state, references=ours, telegram_message_id=5)
    row = resend(world, goods_row())
    assert row.references == {"order_id": order.pk} | references
    assert row.telegram_message_id == (5 if references else None)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("order_delivered", OutboxState.PENDING),
        ("order_delivered", OutboxState.DROPPED),
        ("payment_qr", OutboxState.SENT),
        ("order_expired", OutboxState.SENT),
    ],
)
def test_refused_where_it_makes_no_sense_and_nothing_changes(
    world: World, sari: Chat, order: Order, kind: str, state: str
) -> None:
    row = goods_row()
    OutboxMessage.objects.filter(pk=row.pk).update(kind=kind, state=state, attempts=2)
    with pytest.raises(NotResendable) as refusal:
        resend(world, row)
    assert (refusal.value.kind, refusal.value.state) == (kind, state)
    row.refresh_from_db()
    assert (row.state, row.attempts) == (state, 2)
    assert not AuditEntry.objects.filter(action="resend_message").exists()


def test_a_row_that_everybody_of_the_staff_has_a_copy_of_is_refused(
    shop_bot: BotHarness, world: World, sari: Chat, order: Order
) -> None:
    row = OutboxMessage.objects.get(kind="staff_order_paid")
    OutboxMessage.objects.update(state=OutboxState.SENT, kind=PAID_FOR[0])
    with pytest.raises(NotResendable):
        resend(world, row)


@pytest.mark.django_db(transaction=True)
class TestTogether:
    @pytest.fixture
    def failed(self, committed_world: World) -> OutboxMessage:
        customer = committed_world.customer(balance=50_000)
        committed_world.paid(customer, committed_world.product())
        OutboxMessage.objects.update(state=OutboxState.FAILED)
        return goods_row()

    def test_two_of_the_staff_send_it_once(
        self, committed_world: World, failed: OutboxMessage
    ) -> None:
        (second,) = overlap(*[lambda: resend(committed_world, failed)] * 2)
        assert isinstance(second, NotResendable)
        assert AuditEntry.objects.filter(action="resend_message").count() == 1

    def test_control_without_the_lock_both_do(
        self,
        committed_world: World,
        failed: OutboxMessage,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(OutboxQuerySet, "lock", unlocked)
        overlap(*[lambda: resend(committed_world, failed)] * 2)
        assert AuditEntry.objects.filter(action="resend_message").count() == 2
