"""Staff see how a refund comes about, give it back once, and change the formula after a look."""

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import LedgerEntry, LedgerKind
from audit.models import AuditEntry
from backoffice.display import moment
from orders.models import Order, OrderItem, Refund, RefundKind, RefundPolicy
from tests.backoffice.pages import body, said, url, words
from tests.orders.steps import delivered
from tests.world import World

pytestmark = pytest.mark.django_db
REFUND = "admin:orders_order_refund"


@pytest.fixture
def item(world: World) -> OrderItem:
    """Three accounts, Rp10.000 off, delivered just now."""
    item = delivered(world, price=10_000, quantity=3, discount=10_000)
    item.order.refresh_from_db()
    return item


def address(item: OrderItem, query: str = "") -> str:
    return reverse(REFUND, args=[item.order_id]) + query


def shown(client: Client, item: OrderItem, query: str = "") -> dict[str, Any]:
    """Return what the page's form would send."""
    form = client.get(address(item, query)).context["form"]
    return {name: form[name].value() for name in form.fields} | {"note": ""}


def text_of(client: Client, item: OrderItem, query: str = "") -> str:
    return unescape(words(client.get(address(item, query))))


def test_the_page_says_how_the_figure_comes_about(owner: Client, item: OrderItem) -> None:
    delivered_at = moment(item.order.delivered_at)
    assert owner.get(address(item)).context["rows"] == [
        (f"3 × {item.product_name}", "Rp30.000"),
        ("Share of the voucher", "- Rp10.000"),
        ("Paid for it, without the fee", "Rp20.000"),
        (f"0 days since delivery on {delivered_at}", "× 30/30"),
        ("No replacement, 0 days used", "× 0.8"),
        ("Refund", "Rp16.000"),
    ]


def test_fewer_of_them_may_be_chosen(owner: Client, item: OrderItem) -> None:
    assert "Refund Rp5.333" in text_of(owner, item, "?units=1")
    for units in ("0", "4", "-1", "x", "²", "9" * 30):
        assert "Refund Rp16.000" in text_of(owner, item, f"?units={units}")


def test_confirming_refunds_once_however_often_it_is_sent(owner: Client, item: OrderItem) -> None:
    form = shown(owner, item)
    for _ in range(3):
        answer = owner.post(address(item), form)
        assert answer["Location"] == url(Order, "change", item.order_id)
        assert said(answer).endswith(
            "Rp16.000 put on the customer's balance. The customer is told."
        )
    refund = Refund.objects.get()
    assert (refund.amount, refund.kind, refund.actor) == (16_000, "balance", "staff:owner")
    assert LedgerEntry.objects.get(kind=LedgerKind.REFUND).amount == 16_000
    assert AuditEntry.objects.get(action="refund_balance").source == "admin"
    page = body(owner, url(Order, "change", item.order_id))
    assert url(Refund, "change", refund.pk) in page
    assert "Rp16.000 refunded" in page
    assert address(item) not in page


def test_paid_outside_needs_a_note_and_keeps_it(owner: Client, item: OrderItem) -> None:
    form = shown(owner, item, "?units=2") | {"kind": "outside"}
    answer = owner.post(address(item), form)
    assert answer.context["form"].errors["note"] == ["Write in a few words how it was paid."]
    assert not Refund.objects.exists()
    assert shown_again(answer) == (2, "outside")
    owner.post(address(item), form | {"note": "BCA 22:05"})
    refund = Refund.objects.get()
    assert (refund.units, refund.kind, refund.note) == (2, RefundKind.OUTSIDE, "BCA 22:05")
    assert not LedgerEntry.objects.filter(kind=LedgerKind.REFUND).exists()


def shown_again(answer: Any) -> tuple[int, str]:
    return answer.context["quote"].units, answer.context["form"]["kind"].value()


def test_a_figure_that_changed_is_shown_before_anything_is_refunded(
    owner: Client, item: OrderItem
) -> None:
    form = shown(owner, item)
    later = timezone.now() - timezone.timedelta(days=1, minutes=1)
    Order.objects.filter(pk=item.order_id).update(placed_at=later, delivered_at=later)
    answer = owner.post(address(item), form)
    assert "it is Rp15.467 now. Nothing was refunded yet" in words(answer)
    assert not Refund.objects.exists()
    owner.post(address(item), form | {"amount": answer.context["form"]["amount"].value()})
    assert Refund.objects.get().amount == 15_467


@pytest.mark.parametrize(
    "forged",
    [{"amount": "20000"}, {"amount": "1e5"}, {"units": "2"}, {"first": "1"}, {"item": "1"}],
    ids=str,
)
def test_what_the_form_claims_is_not_trusted(
    owner: Client, item: OrderItem, forged: dict[str, str]
) -> None:
    answer = owner.post(address(item), shown(owner, item) | forged)
    assert answer.status_code == 200
    assert not Refund.objects.exists()


def test_another_orders_item_is_not_refunded_here(
    owner: Client, item: OrderItem, world: World
) -> None:
    other = delivered(world)
    owner.post(address(item), shown(owner, other))
    assert not Refund.objects.exists()


@pytest.mark.parametrize("values", [{}, {"units": "x"}, {"amount": "NaN"}, {"kind": "gift"}])
def test_a_broken_form_refunds_nothing(
    owner: Client, item: OrderItem, values: dict[str, str]
) -> None:
    form = shown(owner, item) | values if values else {}
    assert owner.post(address(item), form).status_code == 200
    assert not Refund.objects.exists()


def test_an_order_that_cannot_be_refunded_says_why(owner: Client, world: World) -> None:
    order = world.qris(world.customer(), world.product()).order
    answer = owner.get(reverse(REFUND, args=[order.pk]))
    assert answer["Location"] == url(Order, "change", order.pk)
    assert said(answer) == "Only a paid order can be refunded."
    assert reverse(REFUND, args=[order.pk]) not in body(owner, url(Order, "change", order.pk))


def test_when_the_period_is_over_there_is_no_button(owner: Client, item: OrderItem) -> None:
    past = timezone.now() - timezone.timedelta(days=30, minutes=1)
    Order.objects.filter(pk=item.order_id).update(placed_at=past, delivered_at=past)
    text = text_of(owner, item)
    assert "there is nothing to refund" in text
    assert 'name="kind"' not in body(owner, address(item))


def test_goods_that_never_arrived_are_given_back_in_full(owner: Client, item: OrderItem) -> None:
    Order.objects.filter(pk=item.order_id).update(delivered_at=None)
    rows = owner.get(address(item)).context["rows"]
    assert rows[-2:] == [
        ("Never delivered, and it will not be any more", "all of it"),
        ("Refund", "Rp20.000"),
    ]


def test_only_who_may_refund_sees_the_button_and_the_page(
    staff: Callable[..., Client], item: OrderItem
) -> None:
    viewer = staff("orders.view_order", "orders.view_refund")
    assert address(item) not in body(viewer, url(Order, "change", item.order_id))
    assert viewer.get(address(item)).status_code == 403
    assert viewer.post(address(item), {}).status_code == 403
    helper = staff("orders.view_order", "orders.view_refund", "orders.add_refund")
    assert address(item) in body(helper, url(Order, "change", item.order_id))
    assert helper.post(address(item), shown(helper, item)).status_code == 302
    assert Refund.objects.count() == 1


class TestFormula:
    address = "admin:orders_refundpolicy_add"

    def send(self, client: Client, formula: str, **values: str) -> Any:
        return client.post(reverse(self.address), {"formula": formula, **values})

    def test_it_is_shown_before_it_is_saved(self, owner: Client) -> None:
        answer = self.send(owner, "10|0:1,5:0.5|1:0.25", action="preview")
        assert not RefundPolicy.objects.exists()
        panel = answer.context["panel"]
        assert panel.title == "Of Rp100.000 it gives back"
        assert panel.headers == ("After", "No replacement", "1 replacement")
        assert panel.rows == [
            ("0 days", "Rp100.000", "Rp25.000"),
            ("4 days", "Rp60.000", "Rp15.000"),
            ("5 days", "Rp25.000", "Rp12.500"),
            ("9 days", "Rp5.000", "Rp2.500"),
            ("10 days", "Rp0", "Rp0"),
        ]
        previewed = answer.context["previewed"]
        done = self.send(owner, previewed, action="save", previewed=previewed)
        assert done["Location"] == url(RefundPolicy, "changelist")
        policy = RefundPolicy.objects.get()
        assert (str(policy), policy.created_by) == ("10|0:1,5:0.5|1:0.25", "staff:owner")
        assert AuditEntry.objects.get(action="set_refund_policy").source == "admin"
        assert "In force" in body(owner, url(RefundPolicy, "changelist"))

    def test_what_was_typed_after_the_preview_is_shown_first(self, owner: Client) -> None:
        answer = self.send(owner, "9|0:1|1:1", action="save", previewed="10|0:1|1:1")
        assert answer.context["previewed"] == "9|0:1|1:1"
        assert not RefundPolicy.objects.exists()

    @pytest.mark.parametrize(
        ("formula", "part"),
        [
            ("30", "three parts"),
            ("0|0:1|1:1", "from 1 to 3,650, not “0”"),
            ("30|0:1.5|1:1", "such as 0.8, not “1.5”"),
            ("30|5:1|1:1", "begin with 0:, not “5:1”"),
            ("30|0:1|2:1", "begin with 1:, not “2:1”"),
            ("30|0:1|", "not an empty piece"),
        ],
    )
    def test_one_that_makes_no_sense_is_explained(
        self, owner: Client, formula: str, part: str
    ) -> None:
        answer = self.send(owner, formula, action="save", previewed=formula)
        [error] = answer.context["form"].errors["formula"]
        assert part in error
        assert "An example: 30|0:0.8" in error
        assert not RefundPolicy.objects.exists()

    def test_who_may_only_look_cannot_change_it(self, staff: Callable[..., Client]) -> None:
        viewer = staff("orders.view_refundpolicy")
        assert "In force" not in body(viewer, url(RefundPolicy, "changelist"))
        assert viewer.get(reverse(self.address)).status_code == 403
        answer = self.send(viewer, "9|0:1|1:1", action="save", previewed="9|0:1|1:1")
        assert answer.status_code == 403
        assert not RefundPolicy.objects.exists()
