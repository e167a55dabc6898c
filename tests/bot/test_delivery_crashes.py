"""A deliverer that dies at any step loses nothing: the next one finishes what it began."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.models import OutboxMessage, OutboxState
from orders.models import Order
from payments.models import Payment
from telegram_bot import delivery, outcomes, outgoing, sender
from telegram_bot.delivery import LEASE, deliver_outbox
from tests.bot.harness import BotHarness, Chat
from tests.bot.post import known
from tests.world import World

Patch = pytest.MonkeyPatch


class Killed(SystemExit):
    """Stands for SIGKILL: nothing of ours catches it."""


def dies(*_: Any, **__: Any) -> None:
    raise Killed


def dies_after(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kw: Any) -> None:
        function(*args, **kw)
        raise Killed

    return call


def dies_after_awaiting(function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kw: Any) -> None:
        await function(*args, **kw)
        raise Killed

    return call


def after_claim(patch: Patch) -> None:
    patch.setattr(delivery, "_deliver", dies)


def in_render(patch: Patch) -> None:
    patch.setattr(delivery, "render_message", dies)


def after_render(patch: Patch) -> None:
    patch.setattr(delivery, "render_message", dies_after(delivery.render_message))


def before_send(patch: Patch) -> None:
    patch.setattr(outgoing, "send_parts", dies)


def before_taking_away(patch: Patch) -> None:
    patch.setattr(outgoing, "take_away", dies)


def after_taking_away(patch: Patch) -> None:
    patch.setattr(outgoing, "take_away", dies_after_awaiting(outgoing.take_away))


def between_the_parts(patch: Patch) -> None:
    patch.setattr(sender, "_document", lambda _document: dies)


def after_send(patch: Patch) -> None:
    patch.setattr(outgoing, "send_parts", dies_after_awaiting(outgoing.send_parts))


def before_record(patch: Patch) -> None:
    patch.setattr(delivery, "record_outcome", dies)


def before_the_mark(patch: Patch) -> None:
    patch.setattr(outcomes, "_mark_sent", dies)


def between_mark_and_follow_up(patch: Patch) -> None:
    patch.setattr(outcomes, "_follow_up", dies)


def before_commit(patch: Patch) -> None:
    patch.setattr(outcomes, "_follow_up", dies_after(outcomes._follow_up))


def after_record(patch: Patch) -> None:
    patch.setattr(delivery, "record_outcome", dies_after(delivery.record_outcome))


STEPS = (
    after_claim,
    in_render,
    after_render,
    before_send,
    before_taking_away,
    after_taking_away,
    between_the_parts,
    after_send,
    before_record,
    before_the_mark,
    between_mark_and_follow_up,
    before_commit,
    after_record,
)


@pytest.fixture
def sari(shop_bot: BotHarness) -> Chat:
    return known(shop_bot)


def paid_with_its_request_still_there(world: World, sari: Chat) -> Order:
    """A file that was paid from the balance while the message with its QR code stands."""
    world.credit(sari.customer, 100_000)
    product = world.product(kind="file")
    payment = world.qris(sari.customer, product, key="one")
    Payment.objects.filter(pk=payment.pk).update(chat_id=sari.id, message_id=sari.last.id)
    return world.paid(sari.customer, product, key="one")


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_goods_arrive_and_nothing_stays_leased(
    shop_bot: BotHarness,
    world: World,
    sari: Chat,
    monkeypatch: pytest.MonkeyPatch,
    step: Callable[[Patch], None],
) -> None:
    order = paid_with_its_request_still_there(world, sari)
    now = timezone.now()
    with monkeypatch.context() as patch:
        step(patch)
        with pytest.raises(Killed):
            deliver_outbox(now=now)
    deliver_outbox(now=now + LEASE + timedelta(seconds=1))
    order.refresh_from_db()
    row = OutboxMessage.objects.get(kind="order_delivered")
    assert order.delivered_at is not None
    assert [message.file_name for message in sari.messages].count("course.pdf") >= 1
    assert row.state == OutboxState.SENT
    assert not OutboxMessage.objects.exclude(leased_until=None).exists()
    assert order.items.get().shared_item is not None
