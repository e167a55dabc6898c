"""The outbox's pages: what is stuck at a glance and why, and sending it again."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import StaffChat
from audit.models import AuditEntry
from backoffice.message_names import NAMES, what_happened, why_not
from core.models import OutboxMessage, OutboxPriority, OutboxState
from orders.models import Order
from telegram_bot.messages import MESSAGES
from tests.backoffice.pages import body, owners_actor, said, url, words
from tests.world import World

pytestmark = pytest.mark.django_db
RESEND = "admin:core_outboxmessage_resend"


@pytest.fixture
def order(world: World) -> Order:
    return world.paid(world.customer(balance=90_000, name="Sari Dewi"), world.product())


def goods_row(**fields: Any) -> OutboxMessage:
    OutboxMessage.objects.filter(kind="order_delivered").update(**fields)
    return OutboxMessage.objects.get(kind="order_delivered")


def refused() -> OutboxMessage:
    return goods_row(state=OutboxState.FAILED, error="BadRequest: Chat not found", attempts=1)


def address(row: OutboxMessage) -> str:
    return reverse(RESEND, args=[row.pk])


def write(key: str, **fields: Any) -> OutboxMessage:
    defaults = {"recipient": 5, "kind": "order_expired", "priority": OutboxPriority.ORDER}
    return OutboxMessage.objects.create(dedupe_key=key, **defaults | fields)


def test_the_list_says_what_is_stuck_for_whom_and_why(owner: Client, order: Order) -> None:
    refused()
    text = words(owner.get(url(OutboxMessage, "changelist") + "?stuck=failed"))
    for part in ("Order delivered", "Sari Dewi", "failed for good", "Chat not found"):
        assert part in text


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("any", {"failed", "blocked", "tried", "told"}),
        ("failed", {"failed"}),
        ("blocked", {"blocked"}),
        ("failing", {"tried", "told"}),
    ],
)
def test_filters_find_what_is_stuck(
    owner: Client, world: World, wanted: str, found: set[str]
) -> None:
    write("sent", state=OutboxState.SENT, attempts=9)
    write("failed", state=OutboxState.FAILED)
    write("blocked", state=OutboxState.BLOCKED)
    write("tried", attempts=3)
    write("told", attempts=1, alerted_at=world.now)
    write("fresh", attempts=2)
    page = owner.get(url(OutboxMessage, "changelist") + f"?stuck={wanted}")
    assert {row.dedupe_key for row in page.context["cl"].result_list} == found


def test_send_again_asks_first_and_then_does_it(owner: Client, order: Order) -> None:
    row = refused()
    page = body(owner, url(OutboxMessage, "change", row.pk))
    assert f'href="{address(row)}"' in page
    question = words(owner.get(address(row)))
    assert "Telegram refuses it: Chat not found." in question
    assert "as things are now" in question
    row.refresh_from_db()
    assert row.state == OutboxState.FAILED
    answer = owner.post(address(row))
    assert answer.headers["Location"] == url(OutboxMessage, "change", row.pk)
    assert "It goes out again" in said(answer)
    row.refresh_from_db()
    assert (row.state, row.attempts) == (OutboxState.PENDING, 0)
    entry = AuditEntry.objects.get(action="resend_message")
    assert (entry.actor, entry.source) == (owners_actor(), "admin")


def test_goods_that_arrived_may_be_sent_once_more(owner: Client, order: Order) -> None:
    row = goods_row(state=OutboxState.SENT)
    assert "once more, with the same goods: none are added" in words(owner.get(address(row)))


@pytest.mark.parametrize(
    ("state", "kind", "reason"),
    [
        (OutboxState.PENDING, "order_delivered", "on its way already"),
        (OutboxState.DROPPED, "order_delivered", "of no more use"),
        (OutboxState.SENT, "order_expired", "only good once"),
    ],
)
def test_what_makes_no_sense_has_no_button_and_is_refused_kindly(
    owner: Client, world: World, state: str, kind: str, reason: str
) -> None:
    row = write("a", kind=kind, state=state)
    assert address(row) not in body(owner, url(OutboxMessage, "change", row.pk))
    assert reason in said(owner.post(address(row)))
    row.refresh_from_db()
    assert row.state == state
    assert not AuditEntry.objects.filter(action="resend_message").exists()


def test_who_may_only_look_cannot(staff: Callable[..., Client], order: Order) -> None:
    row = refused()
    viewer = staff("core.view_outboxmessage")
    assert address(row) not in body(viewer, url(OutboxMessage, "change", row.pk))
    assert viewer.get(address(row)).status_code == 403
    assert viewer.post(address(row)).status_code == 403
    row.refresh_from_db()
    assert row.state == OutboxState.FAILED


def test_who_is_allowed_to_send_again_can(staff: Callable[..., Client], order: Order) -> None:
    row = refused()
    helper = staff("core.view_outboxmessage", "core.change_outboxmessage")
    assert address(row) in body(helper, url(OutboxMessage, "change", row.pk))
    assert helper.post(address(row)).status_code == 302
    row.refresh_from_db()
    assert row.state == OutboxState.PENDING


def test_being_allowed_to_send_again_is_no_leave_to_edit(
    staff: Callable[..., Client], order: Order
) -> None:
    row = refused()
    helper = staff("core.view_outboxmessage", "core.change_outboxmessage")
    change = helper.post(url(OutboxMessage, "change", row.pk), {"state": "sent"})
    assert change.status_code == 403


@pytest.mark.parametrize(
    ("error", "recipient", "reason"),
    [
        ("Forbidden: bot was blocked by the user", 5, "The customer blocked the bot"),
        ("Forbidden: bot was kicked", -5, "The bot is no longer in this group"),
        ("RetryAfter: Flood control exceeded", 5, "Telegram asked to wait"),
        ("TimedOut: Timed out", 5, "Telegram did not answer in time"),
        ("BadRequest: Chat not found", 5, "Telegram refuses it: Chat not found"),
        ("ZeroDivisionError: the bug", 5, "An error of the shop: ZeroDivisionError"),
        ("", 5, ""),
    ],
)
def test_reasons_are_said_in_plain_words(error: str, recipient: int, reason: str) -> None:
    assert why_not(OutboxMessage(error=error, recipient=recipient)) == reason


def test_goods_kept_back_by_a_block_are_said_to_follow_by_themselves() -> None:
    kept = OutboxMessage(
        kind="order_delivered", state=OutboxState.BLOCKED, error="Forbidden: blocked", recipient=5
    )
    (sentence,) = what_happened(kept)
    assert "goes out by itself when they write to the bot again" in sentence


def test_a_group_that_the_bot_was_removed_from_is_shown(owner: Client) -> None:
    for chat_id, title in ((-5, "Gudang"), (-6, "Kantor"), (-7, "Toko")):
        StaffChat.objects.create(chat_id=chat_id, title=title)
    for key, chat_id, state in (
        ("1", -5, OutboxState.SENT),
        ("2", -5, OutboxState.BLOCKED),
        ("3", -6, OutboxState.BLOCKED),
        ("4", -6, OutboxState.SENT),
    ):
        write(key, recipient=chat_id, kind="staff_order_paid", state=state)
    text = words(owner.get(url(StaffChat, "changelist")))
    assert text.count("No: add the bot again") == 1
    assert text.index("Gudang") < text.index("No: add the bot again") < text.index("Kantor")
    assert "The bot can no longer write to 1 staff group" in words(owner.get("/admin/"))


def test_every_message_has_a_name_for_staff() -> None:
    assert set(MESSAGES) <= set(NAMES)
