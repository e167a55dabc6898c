"""Whatever keeps paid goods from arriving: staff have a case within minutes, until they arrive."""

from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import connection

from accounts.models import Customer
from audit.models import AuditEntry
from core.models import OutboxMessage, OutboxState
from operations.invariants import broken_invariants
from operations.sweep import sweep
from orders.models import Order, OrderQuerySet
from payments.models import Case
from payments.services.cases import close_case
from telegram_bot.delivery import deliver_outbox
from telegram_bot.undelivered import (
    ARRIVED,
    PATIENCE,
    UNDELIVERED,
    record_arrival,
    report_undelivered,
    undelivered_orders,
)
from tests.bot.harness import BotHarness, Chat
from tests.bot.post import known
from tests.concurrency import overlap, unlocked
from tests.world import World

NOT_YET, HAS_ARRIVED = "belum sampai", "akhirnya sampai"


@pytest.fixture
def sari(shop_bot: BotHarness, world: World) -> Chat:
    chat = known(shop_bot)
    world.credit(chat.customer, 100_000)
    return chat


@pytest.fixture
def rina(shop_bot: BotHarness) -> Chat:
    chat = known(shop_bot, "Rina")
    Customer.objects.filter(pk=chat.user_id).update(is_admin=True)
    return chat


@pytest.fixture
def order(world: World, sari: Chat) -> Order:
    return world.paid(sari.customer, world.product(stock=["the:goods"]))


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


@pytest.mark.django_db(transaction=True)
class TestReportedWhileTheyArrive:
    """A case about goods that have arrived would stay open for ever."""

    @pytest.fixture
    def late(self, committed_world: World) -> Order:
        world = committed_world
        customer = world.customer()
        world.credit(customer, 100_000)
        return world.paid(customer, world.product(stock=["the:goods"]))

    def meet(self, world: World, order: Order) -> list[bool]:
        """Return for each case of the order whether it is open once both have ended."""
        works = {"order_id": order.pk, "now": world.now}
        overlap(partial(record_arrival, **works), partial(report_undelivered, **works))
        return [case.closed_at is None for case in Case.objects.all()]

    def test_the_arrival_comes_first(self, committed_world: World, late: Order) -> None:
        assert self.meet(committed_world, late) == []

    def test_control_without_the_lock(
        self, committed_world: World, late: Order, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(OrderQuerySet, "lock", unlocked)
        assert self.meet(committed_world, late) == [True]

    def test_the_report_comes_first(self, committed_world: World, late: Order) -> None:
        works = {"order_id": late.pk, "now": committed_world.now}
        overlap(partial(report_undelivered, **works), partial(record_arrival, **works))
        assert [case.closed_at is None for case in Case.objects.all()] == [False]


def test_the_search_for_them_reads_an_index(world: World, order: Order) -> None:
    rows = Order.objects.filter(UNDELIVERED).order_by("paid_at")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "order_undelivered" in rows.explain()
