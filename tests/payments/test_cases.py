"""A case is closed once, with a note, by somebody."""

from functools import partial
from typing import Any

import pytest
from django.db.models import QuerySet

from audit.models import AuditEntry
from audit.personal import open_changes
from orders.models import Order
from orders.services.refund_quotes import quote_refund
from orders.services.refunds import refund_to_balance
from payments.models import Case, CaseKind
from payments.services.cases import (
    MOST_NOTE,
    CaseClosed,
    GoodsMissing,
    NoteRefused,
    close_case,
)
from telegram_bot.undelivered import record_arrival
from tests.concurrency import overlap, unlocked
from tests.world import World


def opened_case(world: World) -> Case:
    return Case.objects.create(kind=CaseKind.AMOUNT_DIFFERS, key="a:1", opened_at=world.now)


def undelivered(world: World) -> Case:
    """A case about goods that were paid for and did not arrive."""
    customer = world.customer(balance=100_000)
    order = world.paid(customer, world.product())
    return Case.objects.create(
        kind=CaseKind.DELIVERY_FAILED, key="d:1", order=order, opened_at=world.now
    )


def closing(case: Case, world: World, note: str = "Paid back", **how: bool) -> Any:
    return partial(
        close_case,
        **how,
        case_id=case.pk,
        resolution=note,
        actor="staff:1",
        source="admin",
        now=world.now,
    )


def test_closing_keeps_the_note_and_says_who_did_it(db: None, world: World) -> None:
    case = opened_case(world)
    closing(case, world, "  Paid back by hand  ")()
    case.refresh_from_db()
    assert (case.closed_at, case.resolution) == (world.now, "Paid back by hand")
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.target, entry.source, entry.at) == (
        "staff:1",
        "close_case",
        f"case:{case.pk}",
        "admin",
        world.now,
    )
    [(before, after)] = open_changes([entry])
    assert before == {"closed_at": None, "resolution": ""}
    assert after == {"closed_at": world.now.isoformat(), "resolution": "Paid back by hand"}


def test_what_is_closed_stays_as_it_is(db: None, world: World) -> None:
    case, first = opened_case(world), world.now
    closing(case, world, "Paid back")()
    world.later(hours=1)
    with pytest.raises(CaseClosed) as refused:
        closing(case, world, "Something else")()
    assert (refused.value.closed_at, refused.value.resolution) == (first, "Paid back")
    case.refresh_from_db()
    assert (case.closed_at, case.resolution) == (first, "Paid back")
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("note", ["", " \n ", "x" * (MOST_NOTE + 1)])
def test_a_note_is_needed_and_stays_readable(db: None, world: World, note: str) -> None:
    case = opened_case(world)
    with pytest.raises(NoteRefused):
        closing(case, world, note)()
    case.refresh_from_db()
    assert (case.closed_at, case.resolution) == (None, "")
    assert not AuditEntry.objects.exists()


class TestGoods:
    """A case about goods ends when the customer has them, or their money."""

    @pytest.fixture
    def case(self, db: None, world: World) -> Case:
        return undelivered(world)

    def test_it_stays_open_while_they_have_neither(self, world: World, case: Case) -> None:
        with pytest.raises(GoodsMissing):
            closing(case, world, "Wrote to them")()
        case.refresh_from_db()
        assert (case.closed_at, case.resolution) == (None, "")
        assert not AuditEntry.objects.filter(action="close_case").exists()

    def test_staff_hand_them_over(self, world: World, case: Case) -> None:
        closing(case, world, "By mail", handed_over=True)()
        case.refresh_from_db()
        assert case.order is not None
        assert (case.closed_at, case.order.delivered_at) == (world.now, world.now)
        entry = AuditEntry.objects.get(action="hand_over_goods")
        assert (entry.target, entry.actor) == (f"order:{case.order_id}", "staff:1")

    def test_what_arrived_or_was_refunded_needs_no_handing_over(
        self, world: World, case: Case
    ) -> None:
        assert case.order is not None
        item = case.order.items.get()
        quote = quote_refund(order_item_id=item.pk, now=world.now)
        by = {"actor": "staff:1", "source": "x", "now": world.now}
        refund_to_balance(request=quote.request, **by)
        closing(case, world, "Gave it back")()
        assert Case.objects.get().closed_at is not None
        assert Order.objects.get().delivered_at is None

    def test_a_closed_case_hands_nothing_over(self, world: World, case: Case) -> None:
        Case.objects.update(closed_at=world.now)
        with pytest.raises(CaseClosed):
            closing(case, world, "By mail", handed_over=True)()
        assert Order.objects.get().delivered_at is None

    def test_other_cases_deliver_nothing(self, world: World, case: Case) -> None:
        Case.objects.update(kind=CaseKind.AMOUNT_DIFFERS)
        closing(case, world, "Agreed", handed_over=True)()
        assert Order.objects.get().delivered_at is None


@pytest.mark.django_db(transaction=True, databases=["default", "audit"])
class TestTwoAtOnce:
    def test_handing_over_and_arriving_do_not_wait_for_each_other(
        self, committed_world: World
    ) -> None:
        world = committed_world
        case = undelivered(world)
        hand_over = closing(case, world, "By mail", handed_over=True)
        arrive = partial(record_arrival, order_id=case.order_id, now=world.now)
        assert overlap(hand_over, arrive) == [None]
        case.refresh_from_db()
        assert case.resolution == "By mail"
        Case.objects.update(closed_at=None)
        Order.objects.update(delivered_at=None)
        [result] = overlap(arrive, hand_over)
        assert isinstance(result, CaseClosed)

    def test_the_second_is_told_and_changes_nothing(self, committed_world: World) -> None:
        case = opened_case(committed_world)
        first = closing(case, committed_world, "First")
        [result] = overlap(first, closing(case, committed_world, "Second"))
        assert isinstance(result, CaseClosed)
        case.refresh_from_db()
        assert case.resolution == "First"
        assert AuditEntry.objects.count() == 1

    def test_control_without_the_lock_both_would(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        case = opened_case(committed_world)
        monkeypatch.setattr(QuerySet, "select_for_update", unlocked)
        first = closing(case, committed_world, "First")
        [result] = overlap(first, closing(case, committed_world, "Second"))
        assert isinstance(result, Case)
        assert AuditEntry.objects.count() == 2
