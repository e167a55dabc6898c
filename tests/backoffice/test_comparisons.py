"""The nightly comparison as staff read it: what differed, what still does."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from payments.models import Payment, StatusReport
from tests.backoffice.pages import body, url, words
from tests.world import World

pytestmark = pytest.mark.django_db


def entry(payment: Payment, **changes: Any) -> dict[str, Any]:
    return {
        "payment": payment.pk,
        "reference": payment.reference,
        "ours": "pending",
        "theirs": "completed",
        "our_amount": "50000",
        "their_amount": "60000",
        "tries": 1,
        "asked_at": "2026-11-22T20:00:00+00:00",
        "remains": False,
        **changes,
    }


@pytest.fixture
def payment(shop: World) -> Payment:
    return Payment.objects.get()


def report(world: World, *entries: dict[str, Any], **fields: Any) -> StatusReport:
    defaults = {"started_at": world.now, "finished_at": world.now, "checked": 3}
    return StatusReport.objects.create(
        day=world.now.date(), differences=list(entries), **{**defaults, **fields}
    )


def test_its_page_names_each_difference(owner: Client, shop: World, payment: Payment) -> None:
    row = report(shop, entry(payment), entry(payment, theirs="", remains=None))
    page = words(owner.get(url(StatusReport, "change", row.pk)))
    for text in (payment.reference, "pending", "completed", "Rp50.000", "Rp60.000"):
        assert text in page
    for text in ("settled", "no answer", "not compared"):
        assert text in page
    assert url(Payment, "change", payment.pk) in body(owner, url(StatusReport, "change", row.pk))


def test_a_night_without_any_says_so(owner: Client, shop: World) -> None:
    row = report(shop)
    assert "Everything agrees." in words(owner.get(url(StatusReport, "change", row.pk)))


@pytest.mark.parametrize(
    ("remains", "unanswered", "finished", "said"),
    [
        ([], 0, True, "all agree"),
        ([False], 0, True, "1 settled"),
        ([True, False], 1, True, "1 still differ"),
        ([], 2, True, "2 without an answer"),
        ([None], 0, False, "under way"),
    ],
)
def test_the_list_tells_the_outcome(
    owner: Client,
    shop: World,
    payment: Payment,
    remains: list[bool | None],
    unanswered: int,
    finished: bool,
    said: str,
) -> None:
    entries = [entry(payment, remains=each) for each in remains]
    finished_at = shop.now if finished else None
    report(shop, *entries, unanswered=unanswered, finished_at=finished_at)
    assert said in words(owner.get(url(StatusReport, "changelist")))


def test_nobody_changes_or_deletes_one(owner: Client, shop: World) -> None:
    row = report(shop)
    assert owner.post(url(StatusReport, "change", row.pk), {"checked": "9"}).status_code == 403
    assert owner.get(url(StatusReport, "delete", row.pk)).status_code == 403
    row.refresh_from_db()
    assert row.checked == 3


def test_who_may_not_see_payments_does_not_see_them_here(
    shop: World, payment: Payment, staff: Callable[..., Client]
) -> None:
    row = report(shop, entry(payment))
    page = body(staff("payments.view_statusreport"), url(StatusReport, "change", row.pk))
    assert payment.reference not in page
