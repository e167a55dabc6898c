"""Paid goods that do not arrive: a case for staff, or kept until their owner writes again."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from telegram.error import BadRequest, Forbidden

from accounts.models import CustomerQuerySet
from accounts.services.customers import TelegramProfile, register_customer
from core.models import OutboxMessage, OutboxState
from core.outbox import enqueue_message
from orders.models import Order
from payments.models import Case
from telegram_bot import outcomes, undelivered
from telegram_bot.outgoing import Delivery
from tests.bot.flows import buy_from_balance
from tests.bot.harness import BotHarness, Chat
from tests.bot.post import known
from tests.world import World


@pytest.fixture
def sari(shop_bot: BotHarness, world: World) -> Chat:
    chat = known(shop_bot)
    world.credit(chat.customer, 100_000)
    return chat


def order_of(world: World, chat: Chat) -> Order:
    return world.paid(chat.customer, world.product(stock=["the:goods"]))


def goods_row() -> OutboxMessage:
    return OutboxMessage.objects.get(kind="order_delivered")


def refuse(bot: BotHarness, chat: Chat) -> None:
    error = {"error_code": 400, "description": "Bad Request: chat not found"}
    bot.fault("sendMessage", chat_id=chat.id, **error)


class TestRefused:
    def test_goods_become_a_case_that_staff_hear_of(
        self, shop_bot: BotHarness, world: World, sari: Chat, rina: Chat
    ) -> None:
        order = order_of(world, sari)
        refuse(shop_bot, sari)
        shop_bot.deliver()
        assert goods_row().state == OutboxState.FAILED
        case = Case.objects.get()
        assert (case.kind, case.key) == ("delivery_failed", f"delivery_failed:{order.pk}")
        assert (case.order, case.closed_at) == (order, None)
        told = [text for text in rina.texts if "tidak bisa dikirim" in text]
        assert len(told) == 1
        assert order.invoice_id in told[0]
        assert "the:goods" not in told[0]

    def test_failing_again_is_the_same_case_told_once(
        self, shop_bot: BotHarness, world: World, sari: Chat, rina: Chat
    ) -> None:
        order_of(world, sari)
        for _ in range(2):
            refuse(shop_bot, sari)
            shop_bot.deliver()
            OutboxMessage.objects.filter(pk=goods_row().pk).update(state=OutboxState.PENDING)
        assert Case.objects.count() == 1
        assert "".join(rina.texts).count("tidak bisa dikirim") == 1

    def test_goods_that_arrive_later_are_delivered_and_end_the_case(
        self, shop_bot: BotHarness, world: World, sari: Chat, rina: Chat
    ) -> None:
        order = order_of(world, sari)
        refuse(shop_bot, sari)
        shop_bot.deliver()
        OutboxMessage.objects.filter(pk=goods_row().pk).update(state=OutboxState.PENDING)
        shop_bot.deliver()
        order.refresh_from_db()
        assert order.delivered_at is not None
        assert "the:goods" in sari.last.text
        assert Case.objects.get().closed_at is not None
        shop_bot.deliver()
        assert "".join(rina.texts).count("akhirnya sampai") == 1

    def test_any_other_message_opens_no_case(
        self, shop_bot: BotHarness, world: World, sari: Chat
    ) -> None:
        order = order_of(world, sari)
        OutboxMessage.objects.filter(kind="order_delivered").update(kind="staff_order_paid")
        refuse(shop_bot, sari)
        shop_bot.deliver()
        rows = OutboxMessage.objects.filter(recipient=order.customer_id)
        assert rows.get().state == OutboxState.FAILED
        assert not Case.objects.exists()

    def test_without_its_case_a_row_is_not_parked(
        self, world: World, sari: Chat, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        order_of(world, sari)

        def dies(**_: Any) -> None:
            raise KeyboardInterrupt  # stands for the end of the process

        monkeypatch.setattr(undelivered, "enqueue_message", dies)
        with pytest.raises(KeyboardInterrupt):
            outcomes.fail(Delivery(goods_row()), BadRequest("chat not found"), world.now)
        assert goods_row().state == OutboxState.PENDING
        assert not Case.objects.exists()

    def test_who_lost_the_lease_opens_no_case(self, world: World, sari: Chat) -> None:
        order_of(world, sari)
        stale = goods_row()
        OutboxMessage.objects.update(leased_until=world.now)
        outcomes.fail(Delivery(stale), BadRequest("chat not found"), world.now)
        assert not Case.objects.exists()


class TestBlocked:
    @pytest.mark.parametrize(
        "come_back", [Chat.unblock, lambda chat: chat.send("/start")], ids=["unblocks", "writes"]
    )
    def test_goods_follow_when_the_customer_is_back(
        self,
        shop_bot: BotHarness,
        world: World,
        sari: Chat,
        come_back: Callable[[Chat], None],
    ) -> None:
        sari.block()
        order = order_of(world, sari)
        shop_bot.deliver()
        assert goods_row().state == OutboxState.BLOCKED
        assert not Case.objects.exists()
        shop_bot.driver.post(f"/sandbox/api/users/{sari.user_id}/unblock/")
        come_back(sari)
        assert goods_row().state == OutboxState.PENDING
        shop_bot.deliver()
        order.refresh_from_db()
        assert order.delivered_at is not None
        assert any("the:goods" in text for text in sari.texts)

    def test_only_what_was_paid_for_follows(
        self, shop_bot: BotHarness, world: World, sari: Chat
    ) -> None:
        kinds = ["order_delivered", "payment_credited", "order_expired", "broadcast"]
        for kind in kinds:
            enqueue_message(
                recipient=sari.id, kind=kind, references={"order_id": 1}, dedupe_key=kind
            )
        OutboxMessage.objects.update(state=OutboxState.BLOCKED, error="Forbidden")
        other = world.customer(blocked_bot_at=world.now)
        OutboxMessage.objects.filter(kind="payment_credited").update(recipient=other.pk)
        sari.block()
        sari.unblock()
        pending = OutboxMessage.objects.pending()
        assert [(row.kind, row.error) for row in pending] == [("order_delivered", "")]
        register_customer(profile=TelegramProfile(id=other.pk, first_name="Budi"))
        assert set(pending.values_list("kind", flat=True)) == set(kinds[:2])

    def test_a_row_is_kept_back_together_with_the_customers_mark(
        self, world: World, sari: Chat, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        order_of(world, sari)

        def dies(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt  # stands for the end of the process

        monkeypatch.setattr(outcomes, "_release", dies)
        with pytest.raises(KeyboardInterrupt):
            outcomes._block(Delivery(goods_row()), Forbidden("blocked by the user"), world.now)
        assert sari.customer.blocked_bot_at is None
        assert goods_row().state == OutboxState.PENDING

    def test_goods_bought_after_the_block_is_over_arrive_at_once(
        self, shop_bot: BotHarness, world: World, sari: Chat
    ) -> None:
        sari.block()
        sari.unblock()
        sari.send("/start")
        buy_from_balance(shop_bot, sari, world.product(stock=["the:goods"]))
        assert Order.objects.get().delivered_at is not None


@pytest.mark.django_db(transaction=True)
class TestBlockedTogether:
    """The customer writes again while a deliverer writes down that they blocked the bot."""

    def test_goods_kept_back_meanwhile_are_revived(self, committed_world: World) -> None:
        assert meet(committed_world) == OutboxState.PENDING

    def test_control_without_the_lock_they_stay(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(CustomerQuerySet, "lock", lambda self: self)
        assert meet(committed_world) == OutboxState.BLOCKED


def meet(world: World) -> str:
    customer = world.customer(blocked_bot_at=world.now)
    enqueue_message(recipient=customer.pk, kind="order_delivered", references={}, dedupe_key="k")

    def write_again() -> None:
        register_customer(profile=TelegramProfile(id=customer.pk, first_name="Sari"))
        connection.close()

    thread = threading.Thread(target=write_again)
    with transaction.atomic():
        outcomes._block(Delivery(goods_row()), Forbidden("blocked by the user"), world.now)
        thread.start()
        wait_until_it_waits_or_ends(thread)
    thread.join(timeout=10)
    return goods_row().state


def wait_until_it_waits_or_ends(thread: threading.Thread) -> None:
    ends_at = time.monotonic() + 10
    while thread.is_alive() and time.monotonic() < ends_at:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks"
                " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
