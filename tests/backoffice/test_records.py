"""Categories, vouchers, settings and customers: effect, audit entry, refusals."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import Customer
from audit.models import AuditEntry
from audit.personal import open_changes
from backoffice.display import ranges
from catalog.models import Category, Product
from catalog.services.categories import create_category
from core.models import StoreSettings
from orders.models import Voucher
from tests.backoffice.pages import actor, said, url, words
from tests.world import World

pytestmark = pytest.mark.django_db
SETTINGS = {
    "payment_minutes": "15",
    "expiry_grace_seconds": "15",
    "gateway_silence_minutes": "5",
    "max_open_orders": "3",
    "max_units_per_order": "20",
    "voucher_pause_minutes": "5",
    "expiries_before_pause": "3",
    "expiry_pause_minutes": "15",
    "deposit_presets": "10000,25000,50000,100000,250000,500000",
    "deposit_least": "10000",
    "deposit_most": "5000000",
    "keep_messages_days": "90",
    "keep_events_days": "90",
    "keep_updates_days": "7",
    "keep_audit_days": "365",
    "deliver_late_payments": "on",
}


def last_audit() -> tuple[str, str, str, Any, Any]:
    entry = AuditEntry.objects.latest("pk")
    [(before, after)] = open_changes([entry])
    return entry.actor, entry.action, entry.source, before, after


class TestCategory:
    def test_added_changed_and_deleted(self, owner: Client) -> None:
        owner.post(url(Category, "add"), {"name": "Game", "discount_percent": "10"})
        row = Category.objects.get()
        values = {"name": "Game", "discount_percent": "10", "discount_amount": None}
        assert last_audit() == (actor(), "create_category", "admin", None, values)
        owner.post(url(Category, "change", row.pk), {"name": "Game", "discount_percent": "15"})
        changed = ({"discount_percent": "10"}, {"discount_percent": "15"})
        assert last_audit() == (actor(), "update_category", "admin", *changed)
        owner.post(url(Category, "delete", row.pk), {"post": "yes"})
        assert not Category.objects.exists()
        assert last_audit()[:2] == (actor(), "delete_category")

    def test_two_discounts_are_refused(self, owner: Client) -> None:
        form = {"name": "Game", "discount_percent": "10", "discount_amount": "1000"}
        answer = owner.post(url(Category, "add"), form)
        assert "Give either a percentage or an amount, not both." in words(answer)
        assert not Category.objects.exists()

    @pytest.mark.parametrize("is_off_sale", [False, True])
    def test_one_with_products_stays(self, owner: Client, world: World, is_off_sale: bool) -> None:
        row = create_category(name="Game")
        product = world.product(category=row)
        if is_off_sale:
            Product.objects.update(deleted_at=world.now)
        answer = owner.post(url(Category, "delete", row.pk), {"post": "yes"})
        assert "“Game” still has 1 product" in said(answer)
        product.refresh_from_db()
        assert product.category == row
        assert not AuditEntry.objects.filter(action="delete_category").exists()


class TestVoucher:
    def form(self, **changes: str) -> dict[str, str]:
        return {
            "code": " hemat10 ",
            "amount": "10.000",
            "least_subtotal": "0",
            "uses_per_customer": "1",
            "is_active": "on",
        } | changes

    def test_added_in_capitals_and_audited(self, owner: Client) -> None:
        assert owner.post(url(Voucher, "add"), self.form()).status_code == 302
        voucher = Voucher.objects.get()
        assert (voucher.code, voucher.amount) == ("HEMAT10", Decimal(10_000))
        who, action, source, before, after = last_audit()
        assert (who, action, source, before) == (actor(), "create_voucher", "admin", None)
        assert (after["code"], after["amount"]) == ("HEMAT10", "10000")

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"percent": "10"}, "Give either an amount or a percentage, not both."),
            ({"amount": ""}, "Give either an amount or a percentage, not both."),
            ({"amount": "", "percent": "0"}, "more than 0 %"),
            ({"code": "HE MAT"}, "Use letters, digits, - and _ only."),
            (
                {
                    "valid_from_0": "2026-11-02",
                    "valid_from_1": "00:00",
                    "valid_until_0": "2026-11-01",
                    "valid_until_1": "00:00",
                },
                "This is before the voucher begins.",
            ),
        ],
    )
    def test_refusals(self, owner: Client, changes: dict[str, str], sentence: str) -> None:
        answer = owner.post(url(Voucher, "add"), self.form(**changes))
        assert sentence in words(answer)
        assert not Voucher.objects.exists()
        assert not AuditEntry.objects.exists()

    def test_a_code_exists_once_whatever_its_case(self, owner: Client, world: World) -> None:
        world.voucher("HEMAT10")
        answer = owner.post(url(Voucher, "add"), self.form())
        assert "already exists" in words(answer)
        assert Voucher.objects.count() == 1

    def test_changed(self, owner: Client, world: World) -> None:
        voucher = world.voucher("HEMAT10")
        answer = owner.post(url(Voucher, "change", voucher.pk), self.form(amount="5000"))
        assert answer.status_code == 302
        assert last_audit()[3:] == ({"amount": "10000"}, {"amount": "5000"})

    def test_nobody_deletes_one(self, owner: Client, world: World) -> None:
        voucher = world.voucher()
        assert owner.post(url(Voucher, "delete", voucher.pk), {"post": "yes"}).status_code == 403


class TestSettings:
    def test_are_one_row_added_once_and_audited(self, owner: Client) -> None:
        assert owner.post(url(StoreSettings, "add"), SETTINGS).status_code == 302
        assert StoreSettings.objects.get().pk == 1
        changed = ({"payment_minutes": 10}, {"payment_minutes": 15})
        assert last_audit() == (actor(), "update_store_settings", "admin", *changed)
        assert owner.get(url(StoreSettings, "add")).status_code == 403
        answer = owner.post(url(StoreSettings, "delete", 1), {"post": "yes"})
        assert answer.status_code == 403

    def test_who_may_change_them_may_be_the_first_to(self, staff: Callable[..., Client]) -> None:
        client = staff("core.view_storesettings", "core.change_storesettings")
        assert client.post(url(StoreSettings, "add"), SETTINGS).status_code == 302
        assert StoreSettings.objects.get().payment_minutes == 15

    def test_out_of_range_is_refused(self, owner: Client) -> None:
        StoreSettings.objects.create(pk=1)
        form = SETTINGS | {"payment_minutes": "0"}
        assert owner.post(url(StoreSettings, "change", 1), form).status_code == 200
        assert StoreSettings.objects.get().payment_minutes == 10
        assert not AuditEntry.objects.exists()

    def test_only_what_was_changed_is_written(self, owner: Client) -> None:
        StoreSettings.objects.create(pk=1, max_open_orders=3)
        owner.post(url(StoreSettings, "change", 1), SETTINGS)
        assert last_audit()[3:] == ({"payment_minutes": 10}, {"payment_minutes": 15})


class TestCustomer:
    def test_takes_a_new_name_but_no_money_and_no_role(self, owner: Client, world: World) -> None:
        budi = world.customer(name="Budi", balance=50_000)
        form = {"name": "Budi S.", "account_balance": "999999", "is_admin": "on", "status": "x"}
        assert owner.post(url(Customer, "change", budi.pk), form).status_code == 302
        after = Customer.objects.get(pk=budi.pk)
        assert (after.name, after.account_balance, after.is_admin) == ("Budi S.", 50_000, False)
        changed = ({"name": "Budi"}, {"name": "Budi S."})
        assert last_audit() == (actor(), "rename_customer", "admin", *changed)

    def test_no_name_is_refused(self, owner: Client, world: World) -> None:
        budi = world.customer(name="Budi")
        assert owner.post(url(Customer, "change", budi.pk), {"name": " "}).status_code == 200
        assert Customer.objects.get(pk=budi.pk).name == "Budi"

    def test_staff_who_may_only_look(self, staff: Callable[..., Client], world: World) -> None:
        budi = world.customer(name="Budi")
        client = staff("accounts.view_customer")
        assert client.post(url(Customer, "change", budi.pk), {"name": "X"}).status_code == 403
        assert Customer.objects.get(pk=budi.pk).name == "Budi"

    def test_the_list_shows_paid_orders_and_what_was_spent(
        self, owner: Client, world: World
    ) -> None:
        sari = world.customer(balance=100_000)
        world.paid(sari, world.product(), quantity=2)
        world.customer(name="Nobody")
        rows = owner.get(url(Customer, "changelist")).context["cl"].result_list
        assert {row.pk: row._paid for row in rows}[sari.pk] == (1, Decimal(100_000))


@pytest.mark.parametrize(
    ("numbers", "text"),
    [((3,), "3"), ((1, 2, 3, 7), "1–3, 7"), (tuple(range(1, 100, 2)), "1, 3, 5 and 47 more")],
)
def test_positions_are_said_in_short(numbers: tuple[int, ...], text: str) -> None:
    assert ranges(numbers, most=3) == text
