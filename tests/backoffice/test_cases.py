"""A case says what happened with the money, and staff say what they did about it."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import AuditEntry
from core.models import OutboxMessage, OutboxState
from orders.models import Order
from payments.models import Case, CaseKind, GatewayEvent
from payments.services.cases import close_case
from payments.services.settle import settle
from telegram_bot.undelivered import record_arrival, report_undelivered
from tests.backoffice.pages import actor, body, said, url, words
from tests.bank import Bank
from tests.payments.steps import opened, paid
from tests.world import World

pytestmark = pytest.mark.django_db
CLOSE = "admin:payments_case_close"


@pytest.fixture
def differing(world: World, bank: Bank) -> Case:
    """Budi paid Rp20.000 in the place of Rp25.000."""
    budi = world.customer(name="Budi")
    payment = opened(world, budi, world.product(price=25_000))
    told = replace(paid(bank, payment), amount=Decimal(20_000))
    settle(payment_id=payment.pk, told=told, now=world.now)
    return Case.objects.get()


def page(client: Client, case: Case) -> str:
    return words(client.get(url(Case, "change", case.pk)))


def close(client: Client, case: Case, note: str, **more: str) -> Any:
    return client.post(reverse(CLOSE, args=[case.pk]), {"note": note, **more})


def test_it_says_what_was_asked_what_came_and_where_it_went(
    owner: Client, differing: Case
) -> None:
    text = page(owner, differing)
    payment = differing.payment
    assert payment is not None
    for part in (
        f"Budi was to pay Rp25.000 for order {differing.order},",
        "but the gateway reports Rp20.000: Rp5.000 less.",
        "The shop put the Rp20.000 on the customer's balance",
        "The order is still waiting for its payment.",
        "What you can do",
        "Mark as dealt with",
    ):
        assert part in unescape(text)
    html = body(owner, url(Case, "change", differing.pk))
    for row in (differing.order, payment, payment.customer):
        assert f'href="{url(type(row), "change", row.pk)}"' in html
    assert "amount_differs" not in html


def test_money_that_has_no_effect_yet_is_said_so(owner: Client, world: World, bank: Bank) -> None:
    payment = opened(world, world.customer(), world.product())
    case = Case.objects.create(
        kind=CaseKind.AMOUNT_DIFFERS, key="1", payment=payment, opened_at=world.now
    )
    assert "The shop has not used the money yet" in page(owner, case)


def test_an_event_of_nobody_says_that_nothing_was_done(owner: Client, world: World) -> None:
    event = GatewayEvent.objects.create(
        gateway="pakasir",
        txn_id="T9",
        order_id="QC9",
        status="completed",
        body={"amount": 50_000},
        received_at=world.now,
    )
    case = Case.objects.create(
        kind=CaseKind.UNMATCHED_EVENT, key="9", event=event, opened_at=world.now
    )
    text = page(owner, case)
    assert "of Rp50.000 (transaction T9, reference QC9)" in text
    assert "no order was paid and no balance has changed" in text


def test_goods_that_did_not_arrive_say_why(owner: Client, shop: World) -> None:
    order = Order.objects.paid().get()
    OutboxMessage.objects.filter(dedupe_key=f"order_delivered:{order.pk}").update(
        state=OutboxState.FAILED, error="BadRequest: chat not found"
    )
    case = Case.objects.create(
        kind=CaseKind.DELIVERY_FAILED, key="2", order=order, opened_at=shop.now
    )
    text = page(owner, case)
    assert "paid Rp90.000" in text
    assert "Telegram refuses it: chat not found. The shop does not try again by itself." in text
    assert "The goods are kept for this customer." in text


def test_goods_that_wait_for_who_blocked_the_bot_say_so(owner: Client, shop: World) -> None:
    order = Order.objects.paid().get()
    OutboxMessage.objects.filter(dedupe_key=f"order_delivered:{order.pk}").update(
        state=OutboxState.BLOCKED, error="Forbidden: bot was blocked by the user"
    )
    report_undelivered(order_id=order.pk, now=shop.now)
    text = page(owner, Case.objects.get(order=order))
    assert "The message goes out by itself when they write to the bot again." in text
    assert "This case ends by itself when they arrive" in text


def test_a_case_about_goods_ends_by_itself(owner: Client, shop: World) -> None:
    order = Order.objects.paid().get()
    report_undelivered(order_id=order.pk, now=shop.now)
    record_arrival(order_id=order.pk, now=shop.now)
    text = page(owner, Case.objects.get(order=order))
    assert "Ended by itself on" in text
    assert "Delivered to the chat" in words(owner.get(url(Order, "change", order.pk)))


def test_goods_that_staff_handed_over_are_delivered(owner: Client, shop: World) -> None:
    order = Order.objects.paid().get()
    report_undelivered(order_id=order.pk, now=shop.now)
    case = Case.objects.get(order=order)
    answer = close(owner, case, "Wrote to them")
    assert (
        "neither the goods nor the money back" in answer.context["form"].errors["handed_over"][0]
    )
    case.refresh_from_db()
    assert case.closed_at is None
    close(owner, case, "Sent by mail", handed_over="on")
    case.refresh_from_db()
    order.refresh_from_db()
    assert (case.resolution, order.delivered_at) == ("Sent by mail", case.closed_at)
    assert "Handed over by staff" in words(owner.get(url(Order, "change", order.pk)))


def test_dealing_with_it_keeps_the_note_and_lowers_the_counts(
    owner: Client, differing: Case
) -> None:
    assert "1 open case to look at" in body(owner, reverse("admin:index"))
    answer = close(owner, differing, "Agreed with Budi")
    assert answer["Location"] == url(Case, "change", differing.pk)
    assert said(answer) == "Dealt with. Your note is kept with the case."
    differing.refresh_from_db()
    assert differing.closed_at is not None
    assert differing.resolution == "Agreed with Budi"
    entry = AuditEntry.objects.get(action="close_case")
    assert (entry.actor, entry.source) == (actor(), "admin")
    text = page(owner, differing)
    assert "Agreed with Budi" in text
    assert "by owner." in text
    assert "Mark as dealt with" not in text
    index = owner.get(reverse("admin:index"))
    assert not index.context["tasks"]
    entries = [item for group in index.context["sidebar_navigation"] for item in group["items"]]
    assert not [item for item in entries if item["title"] == "Cases" and item.get("badge")]


@pytest.mark.parametrize("note", ["", "   ", "x" * 2001])
def test_a_note_is_needed(owner: Client, differing: Case, note: str) -> None:
    answer = close(owner, differing, note)
    assert answer.status_code == 200
    assert answer.context["form"].errors["note"]
    differing.refresh_from_db()
    assert differing.closed_at is None


def test_what_was_dealt_with_stays_so(owner: Client, differing: Case) -> None:
    close(owner, differing, "First")
    assert said(close(owner, differing, "Second")).endswith("This case was dealt with already.")
    differing.refresh_from_db()
    assert differing.resolution == "First"


def test_who_is_second_by_a_moment_is_told(
    owner: Client, differing: Case, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = partial(
        close_case, case_id=differing.pk, resolution="First", actor="x", source="x", now=world.now
    )

    def late(**kwargs: Any) -> Any:
        other()
        return close_case(**kwargs)

    monkeypatch.setattr("backoffice.admin.cases.close_case", late)
    told = words(close(owner, differing, "Second"))
    assert "dealt with already, on" in told
    assert "“First”" in told
    assert "Second" in told


def test_who_may_only_look_cannot(staff: Callable[..., Client], differing: Case) -> None:
    viewer = staff("payments.view_case")
    assert "Mark as dealt with" not in page(viewer, differing)
    address = reverse(CLOSE, args=[differing.pk])
    assert viewer.get(address).status_code == 403
    assert close(viewer, differing, "x").status_code == 403
    differing.refresh_from_db()
    assert differing.closed_at is None


def test_who_may_change_cases_can(staff: Callable[..., Client], differing: Case) -> None:
    helper = staff("payments.view_case", "payments.change_case")
    assert "Mark as dealt with" in page(helper, differing)
    assert close(helper, differing, "Done").status_code == 302


def test_the_list_says_what_was_asked_and_what_came(owner: Client, differing: Case) -> None:
    text = words(owner.get(url(Case, "changelist")))
    for part in ("A customer paid another amount", "Budi", "Rp25.000", "Rp20.000, Rp5.000 less"):
        assert part in text
