"""Whatever keeps paid goods from arriving: staff have a case within minutes, until they arrive."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import OperationalError, connection
from django.utils import timezone

from audit.models import AuditEntry
from core.models import OutboxMessage, OutboxState
from operations.invariants import broken_invariants
from operations.sweep import sweep
from orders.errors import RefundRefusal, RefundRefused
from orders.models import Order
from orders.services.fulfilment import goods_message
from payments.models import Case
from payments.services.cases import close_case
from telegram_bot import undelivered
from telegram_bot.delivery import LEASE, deliver_outbox
from telegram_bot.undelivered import (
    ARRIVED,
    PATIENCE,
    UNDELIVERED,
    record_arrival,
    report_undelivered,
    undelivered_orders,
)
from tests.bot.flows import refund
from tests.bot.harness import BotHarness, Chat
from tests.bot.post import known
from tests.world import World

NOT_YET, HAS_ARRIVED = "belum sampai", "akhirnya sampai"


@pytest.fixture
def sari(shop_bot: BotHarness, world: World) -> Chat:
    chat = known(shop_bot)
    world.credit(chat.customer, 100_000)
    return chat


def due(now: datetime) -> list[int]:
    return undelivered_orders(now=now, limit=10)


def hand_over(case: Case, world: World) -> None:
    close_case(
        case_id=case.pk,
        resolution="By mail",
        handed_over=True,
        actor="staff:1",
        source="x",
        now=world.now,
    )


def heard(chat: Chat, words: str) -> int:
    return sum(words in text for text in chat.texts)


def test_goods_kept_back_by_a_block_are_a_case_until_they_arrive(
    shop_bot: BotHarness, world: World, sari: Chat, rina: Chat, order: Order
) -> None:
    sari.block()
    sweep(now=world.now)
    assert not Case.objects.exists()
    for minutes in (4, 5, 6):
        sweep(now=world.later(minutes=minutes))
    case = Case.objects.get()
    assert (case.kind, case.order, case.closed_at) == ("delivery_failed", order, None)
    assert broken_invariants(world.now) == []
    assert (heard(rina, NOT_YET), heard(rina, HAS_ARRIVED)) == (1, 0)
    (told,) = (text for text in rina.texts if NOT_YET in text)
    assert order.invoice_id in told
    assert "memblokir bot" in told
    assert "the:goods" not in told
    sari.unblock()
    sari.send("/start")
    sweep(now=world.later(minutes=1))
    sweep(now=world.later(minutes=1))
    order.refresh_from_db()
    case.refresh_from_db()
    assert any("the:goods" in text for text in sari.texts)
    assert order.delivered_at is not None
    assert (case.closed_at is not None, case.resolution) == (True, ARRIVED)
    assert AuditEntry.objects.get(action="close_case").actor == "system"
    assert (heard(rina, NOT_YET), heard(rina, HAS_ARRIVED)) == (1, 1)


def test_goods_behind_another_message_of_their_chat_are_a_case_too(
    shop_bot: BotHarness, world: World, sari: Chat, rina: Chat, order: Order
) -> None:
    second = world.paid(sari.customer, world.product(stock=["more:goods"]))
    shop_bot.fault("sendMessage", chat_id=sari.id, error_code=502, times=1000)
    for _ in range(12):
        sweep(now=world.later(seconds=50))
    rows = OutboxMessage.objects.filter(recipient=sari.id, kind="order_delivered")
    assert rows.get(dedupe_key=f"order_delivered:{second.pk}").attempts == 0
    assert {case.order for case in Case.objects.all()} == {order, second}
    assert broken_invariants(world.now) == []
    assert heard(rina, NOT_YET) == 2


def test_goods_whose_message_is_gone_are_a_case(
    shop_bot: BotHarness, world: World, rina: Chat, order: Order
) -> None:
    OutboxMessage.objects.filter(kind="order_delivered").update(state=OutboxState.DROPPED)
    sweep(now=world.later(minutes=4))
    sweep(now=world.now)
    assert Case.objects.get().order == order
    assert heard(rina, NOT_YET) == 1


def test_not_before_the_shop_has_tried_for_some_minutes(world: World, order: Order) -> None:
    assert order.paid_at is not None
    assert due(order.paid_at + PATIENCE) == []
    assert due(order.paid_at + PATIENCE + timedelta(seconds=1)) == [order.pk]


def test_what_arrived_was_told_or_refunded_is_not_due(world: World, order: Order) -> None:
    late = world.now + timedelta(hours=1)
    assert due(late) == [order.pk]
    report_undelivered(order_id=order.pk, now=late)
    assert due(late) == []
    Case.objects.all().delete()
    assert due(late) == [order.pk]
    record_arrival(order_id=order.pk, now=late)
    assert due(late) == []
    assert not report_undelivered(order_id=order.pk, now=late)
    assert not Case.objects.exists()


def test_what_staff_closed_keeps_their_note(world: World, order: Order) -> None:
    report_undelivered(order_id=order.pk, now=world.now)
    case = Case.objects.get()
    hand_over(case, world)
    record_arrival(order_id=order.pk, now=world.later(hours=1))
    case.refresh_from_db()
    assert case.resolution == "By mail"


def test_staff_who_hear_after_the_end_hear_nothing(
    shop_bot: BotHarness, world: World, rina: Chat, order: Order
) -> None:
    report_undelivered(order_id=order.pk, now=world.now)
    record_arrival(order_id=order.pk, now=world.now)
    deliver_outbox(now=world.now)
    assert heard(rina, NOT_YET) == 0


def test_the_search_for_them_reads_an_index(world: World, order: Order) -> None:
    rows = Order.objects.filter(UNDELIVERED).order_by("paid_at")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "order_undelivered" in rows.explain()


class TestWhatWasSent:
    """Sent is sent: that the end of a delivery was lost must not call it undelivered for ever."""

    def cut(self, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
        """Let the next `times` arrivals find that the database is away."""
        real, left = undelivered.record_arrival, [None] * times

        def record(**how: Any) -> None:
            if left:
                left.pop()
                raise OperationalError("terminating connection")
            real(**how)

        monkeypatch.setattr("telegram_bot.messages.record_arrival", record)

    def test_what_follows_is_tried_once_more(
        self, shop_bot: BotHarness, world: World, order: Order, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.cut(monkeypatch, times=1)
        deliver_outbox(now=world.now)
        order.refresh_from_db()
        assert order.delivered_at == world.now

    @pytest.mark.parametrize("is_told", [False, True])
    def test_the_sweep_finds_it(
        self,
        shop_bot: BotHarness,
        world: World,
        order: Order,
        rina: Chat,
        monkeypatch: pytest.MonkeyPatch,
        *,
        is_told: bool,
    ) -> None:
        if is_told:
            report_undelivered(order_id=order.pk, now=world.now)
        self.cut(monkeypatch, times=2)
        deliver_outbox(now=world.now)
        sent = goods_message(order.pk).get()
        order.refresh_from_db()
        assert (sent.state, order.delivered_at) == (OutboxState.SENT, None)
        sweep(now=world.later(minutes=4))
        order.refresh_from_db()
        assert order.delivered_at == sent.sent_at
        assert not Case.objects.filter(closed_at=None).exists()
        assert heard(rina, NOT_YET) == 0 or is_told


class TestInTheHistory:
    """Who opens the goods in the chat has them, whatever became of their message."""

    def test_opening_them_is_an_arrival(
        self, shop_bot: BotHarness, world: World, sari: Chat, order: Order
    ) -> None:
        goods_message(order.pk).update(state=OutboxState.FAILED)
        report_undelivered(order_id=order.pk, now=world.now)
        sari.press_path(f"/order/{order.pk}")
        assert "the:goods" in sari.last.text
        order.refresh_from_db()
        assert order.delivered_at is not None
        assert Case.objects.get().closed_at is not None

    def test_a_file_that_was_not_opened_has_not_arrived(
        self, shop_bot: BotHarness, world: World, sari: Chat
    ) -> None:
        order = world.paid(sari.customer, world.product(kind="file"))
        goods_message(order.pk).update(state=OutboxState.FAILED)
        sari.press_path(f"/order/{order.pk}")
        order.refresh_from_db()
        assert order.delivered_at is None
        sari.press_path(f"/order/{order.pk}/goods")
        order.refresh_from_db()
        assert order.delivered_at is not None

    def test_what_was_refunded_before_stays_back(
        self, shop_bot: BotHarness, world: World, sari: Chat, order: Order
    ) -> None:
        goods_message(order.pk).update(state=OutboxState.FAILED)
        refund(order, world)
        for path in (f"/order/{order.pk}", f"/order/{order.pk}/goods"):
            sari.press_path(path)
            assert "the:goods" not in "".join(sari.texts)
        order.refresh_from_db()
        assert order.delivered_at is None


class TestHandedOver:
    def test_the_message_is_of_no_use_any_more(
        self, shop_bot: BotHarness, world: World, sari: Chat, order: Order
    ) -> None:
        sari.block()
        sweep(now=world.later(minutes=4))
        hand_over(Case.objects.get(), world)
        assert goods_message(order.pk).get().state == OutboxState.DROPPED
        sari.unblock()
        sari.send("/start")
        deliver_outbox(now=world.later(minutes=1))
        assert not any("the:goods" in text for text in sari.texts)

    def test_goods_no_key_opens_hold_up_nothing_else(
        self, shop_bot: BotHarness, world: World, sari: Chat, order: Order, settings: Any
    ) -> None:
        keys, settings.STOCK_KEYS = settings.STOCK_KEYS, [Fernet.generate_key().decode()]
        deliver_outbox(now=world.now)
        assert Case.objects.get().closed_at is None
        fresh = world.product(stock=["more:goods"])
        second = world.paid(sari.customer, fresh)
        deliver_outbox(now=world.later(seconds=1))
        second.refresh_from_db()
        assert second.delivered_at is not None
        settings.STOCK_KEYS = keys
        deliver_outbox(now=world.later(minutes=10))
        order.refresh_from_db()
        assert order.delivered_at is not None


class TestRefundedMeanwhile:
    """Either the goods arrive or the money is given back as if they had not: never both."""

    def test_what_is_being_sent_is_not_refunded(self, world: World, order: Order) -> None:
        now = timezone.now()
        OutboxMessage.objects.claim(now=now, limit=1, lease=LEASE)
        with pytest.raises(RefundRefused) as refused:
            refund(order, world)
        assert refused.value.reason == RefundRefusal.ON_ITS_WAY
        world.later(minutes=2)
        refund(order, world)
        assert order.refunds.exists()
