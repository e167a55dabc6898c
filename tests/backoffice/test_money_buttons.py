"""Staff change a balance and mark an order paid: once, with a reason, if they may."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.models import Customer, LedgerEntry
from audit.models import AuditEntry
from orders.models import Order, OrderStatus
from payments.models import MANUAL, Case, Payment
from payments.services.check import check_payment
from payments.services.deposit import start_deposit
from payments.services.manual import mark_paid_by_hand
from tests.backoffice.pages import body, owners_actor, said, url, words
from tests.bank import Bank
from tests.payments.steps import opened
from tests.unguarded import unguarded
from tests.world import World

pytestmark = pytest.mark.django_db
ADD = "admin:accounts_customer_add_to_balance"
CORRECT = "admin:accounts_customer_set_balance"
MARK = "admin:orders_order_mark_paid"


@pytest.fixture
def sari(world: World) -> Customer:
    return world.customer(balance=20_000)


@pytest.fixture
def payment(world: World, bank: Bank) -> Payment:
    return opened(world, world.customer(name="Budi"), world.product(price=50_000))


def hidden(client: Client, address: str) -> dict[str, Any]:
    """What the form carries that nobody types."""
    form = client.get(address).context["form"]
    return {field.name: field.value() for field in form.hidden_fields()}


class TestBalance:
    def test_an_amount_is_added_once_however_often_it_is_sent(
        self, owner: Client, sari: Customer
    ) -> None:
        address = reverse(ADD, args=[sari.pk])
        given = hidden(owner, address) | {"amount": "50.000"}
        for _ in range(2):
            answer = owner.post(address, given)
            assert answer["Location"] == url(Customer, "change", sari.pk)
        assert said(answer).startswith("Rp50.000 added: the balance is Rp70.000. Sari is told.")
        sari.refresh_from_db()
        assert sari.account_balance == 70_000
        entry = AuditEntry.objects.get(action="transfer_to_balance")
        assert (entry.actor, entry.source) == (owners_actor(), "admin")

    def test_each_page_has_a_key_of_its_own(self, owner: Client, sari: Customer) -> None:
        address = reverse(ADD, args=[sari.pk])
        assert len({hidden(owner, address)["key"] for _ in range(3)}) == 3

    def test_a_balance_is_set_to_exactly_what_is_given(
        self, owner: Client, sari: Customer
    ) -> None:
        address = reverse(CORRECT, args=[sari.pk])
        given = hidden(owner, address) | {"balance": "5.000"}
        answer = owner.post(address, given)
        assert said(answer) == "The balance is Rp5.000 now. Sari is told."
        sari.refresh_from_db()
        assert sari.account_balance == 5_000
        assert LedgerEntry.objects.latest("pk").amount == -15_000

    def test_to_what_it_is_already_changes_nothing(self, owner: Client, sari: Customer) -> None:
        address = reverse(CORRECT, args=[sari.pk])
        answer = owner.post(address, hidden(owner, address) | {"balance": "20.000"})
        assert "nothing was changed" in said(answer)
        assert LedgerEntry.objects.count() == 1

    def test_a_balance_that_moved_meanwhile_is_not_overwritten(
        self, owner: Client, sari: Customer, world: World
    ) -> None:
        address = reverse(CORRECT, args=[sari.pk])
        given = hidden(owner, address) | {"balance": "5.000"}
        world.credit(sari, 10_000)
        text = words(owner.post(address, given))
        assert "The balance has moved meanwhile: it is Rp30.000 now." in text
        sari.refresh_from_db()
        assert sari.account_balance == 30_000

    @pytest.mark.parametrize(("name", "field"), [(ADD, "amount"), (CORRECT, "balance")])
    @pytest.mark.parametrize("typed", ["", "abc", "-5"])
    def test_what_is_no_amount_is_said_at_the_field(
        self, owner: Client, sari: Customer, name: str, field: str, typed: str
    ) -> None:
        address = reverse(name, args=[sari.pk])
        answer = owner.post(address, hidden(owner, address) | {field: typed})
        assert answer.context["form"].errors[field]
        assert LedgerEntry.objects.count() == 1

    def test_nothing_is_no_amount_to_add(self, owner: Client, sari: Customer) -> None:
        address = reverse(ADD, args=[sari.pk])
        text = words(owner.post(address, hidden(owner, address) | {"amount": "0"}))
        assert "Write whole rupiah, from Rp1 to" in text
        assert LedgerEntry.objects.count() == 1


class TestMarkPaid:
    def mark(self, client: Client, payment: Payment, **given: str) -> Any:
        address = reverse(MARK, args=[payment.order_id])
        return client.post(address, {"reason": "Cash at the counter", **given})

    def test_it_is_recorded_with_its_reason_once(self, owner: Client, payment: Payment) -> None:
        assert "Mark as paid" in body(owner, url(Order, "change", payment.order_id))
        answer = self.mark(owner, payment)
        assert answer["Location"] == url(Order, "change", payment.order_id)
        assert "is paid, recorded by hand" in said(answer)
        again = self.mark(owner, payment)
        assert "This order is paid already." in said(again)
        assert Payment.objects.get(gateway=MANUAL).reason == "Cash at the counter"
        page = words(owner.get(url(Order, "change", payment.order_id)))
        assert "Marked paid by hand: Cash at the counter" in page
        assert "Recorded by staff" in page
        assert "Mark as paid" not in page

    def test_what_the_gateway_reports_is_settled_and_said(
        self, owner: Client, payment: Payment, bank: Bank
    ) -> None:
        bank.pay(payment, webhook="drop")
        assert "The gateway reports that" in said(self.mark(owner, payment))
        assert not Payment.objects.filter(gateway=MANUAL).exists()

    def test_a_silent_gateway_refuses_until_the_box_is_ticked(
        self, owner: Client, payment: Payment, bank: Bank
    ) -> None:
        bank.fail("status", "500", times=100)
        text = words(self.mark(owner, payment))
        assert "The gateway did not say whether the order is paid there" in text
        assert not Payment.objects.filter(gateway=MANUAL).exists()
        assert "recorded by hand" in said(self.mark(owner, payment, without_answer="on"))

    def test_goods_that_are_gone_are_said(
        self, owner: Client, payment: Payment, world: World
    ) -> None:
        item = payment.order.items.get()
        item.product.stock.available().delete()
        Order.objects.filter(pk=payment.order_id).update(status="expired", ended_at=world.now)
        with unguarded():
            item.stock_items.update(state="withdrawn", order_item=None)
        Payment.objects.filter(pk=payment.pk).update(status="expired", ended_at=world.now)
        answer = self.mark(owner, payment)
        errors = answer.context["form"].non_field_errors()
        assert errors == ["Its goods are gone: 0 of 1 left. Nothing was changed."]
        payment.order.refresh_from_db()
        assert payment.order.status == OrderStatus.EXPIRED

    def test_a_reason_is_needed(self, owner: Client, payment: Payment) -> None:
        answer = self.mark(owner, payment, reason=" ")
        assert answer.context["form"].errors["reason"]
        assert not Payment.objects.filter(gateway=MANUAL).exists()

    def test_money_that_comes_afterwards_is_a_case_that_tells_its_story(
        self, owner: Client, payment: Payment, bank: Bank, world: World
    ) -> None:
        mark_paid_by_hand(
            order_id=payment.order_id, reason="Cash", actor="x", source="x", now=world.now
        )
        bank.pay(payment, webhook="drop")
        check_payment(payment_id=payment.pk, now=world.later(seconds=5))
        text = words(owner.get(url(Case, "change", Case.objects.get().pk)))
        for part in (
            "An order marked paid by hand was paid at the gateway, too",
            "The gateway reports Rp50.000 for order",
            "Their reason: “Cash”",
            "Nothing was put on the customer",
            "What you can do",
        ):
            assert part in text


@pytest.mark.parametrize(
    ("name", "model", "may_look", "may_do", "button"),
    [
        (ADD, Customer, "accounts.view_customer", "accounts.add_ledgerentry", "Add to balance"),
        (CORRECT, Customer, "accounts.view_customer", "accounts.add_ledgerentry", "Correct bal"),
        (MARK, Order, "orders.view_order", "payments.add_payment", "Mark as paid"),
    ],
)
def test_only_who_may_has_the_button_and_gets_in(
    staff: Callable[..., Client],
    payment: Payment,
    name: str,
    model: type[Model],
    may_look: str,
    may_do: str,
    button: str,
) -> None:
    pk = payment.customer_id if model is Customer else payment.order_id
    address, page = reverse(name, args=[pk]), url(model, "change", pk)
    given = {"amount": "5", "balance": "5", "seen": "0", "key": "k", "reason": "x"}
    viewer = staff(may_look)
    assert button not in body(viewer, page)
    assert viewer.get(address).status_code == 403
    assert viewer.post(address, given).status_code == 403
    assert not LedgerEntry.objects.exists()
    assert not Payment.objects.filter(gateway=MANUAL).exists()
    helper = staff(may_look, may_do)
    assert button in body(helper, page)
    assert helper.post(address, given).status_code == 302
    done = LedgerEntry.objects.exists() or Payment.objects.filter(gateway=MANUAL).exists()
    assert done


def test_a_deposit_is_shown_as_one(owner: Client, world: World) -> None:
    customer = world.customer()
    payment = start_deposit(
        customer_id=customer.pk,
        amount=Decimal(50_000),
        key="k",
        chat_id=1,
        message_id=None,
        now=world.now,
    )
    assert "Deposit" in words(owner.get(url(Payment, "changelist")))
    assert payment.reference in body(owner, url(Payment, "change", payment.pk))
