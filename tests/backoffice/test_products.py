"""Products, their photos, on and off sale: each through one service, with an audit entry."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse

from audit.models import AuditEntry
from catalog.errors import NumberTaken
from catalog.models import Product
from catalog.services.products import create_product
from tests.backoffice.pages import actor, body, said, url, words
from tests.world import World


def form(**changes: Any) -> dict[str, Any]:
    return {
        "number": "200",
        "name": "Kopi",
        "kind": "unique",
        "customer_price": "15.000",
        "low_stock_threshold": "3",
        "sold_shown": "0",
        "is_active": "on",
    } | changes


def form_of(product: Product, **changes: Any) -> dict[str, Any]:
    return form(number=product.number, name=product.name, customer_price="50.000") | changes


class TestAdd:
    def test_effect_and_audit_entry(self, owner: Client) -> None:
        assert owner.post(url(Product, "add"), form()).status_code == 302
        product = Product.objects.get()
        assert (product.number, product.customer_price) == (200, Decimal(15_000))
        entry = AuditEntry.objects.get()
        assert (entry.actor, entry.action, entry.source) == (
            actor(),
            "create_product",
            "admin",
        )
        assert entry.target == f"product:{product.pk}"
        assert entry.after == {"number": 200, "price": "15000", "kind": "unique"}

    @pytest.mark.parametrize(
        ("typed", "price"), [("15000", 15_000), ("Rp1.250.000", 1_250_000), ("Rp 7.500,00", 7_500)]
    )
    def test_money_as_people_write_it(self, owner: Client, typed: str, price: int) -> None:
        owner.post(url(Product, "add"), form(customer_price=typed))
        assert Product.objects.get().customer_price == price

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"customer_price": "15000.50"}, "Write whole rupiah"),
            ({"customer_price": "-1"}, "Write whole rupiah"),
            ({"reseller_price": "16000"}, "Resellers would pay more than customers do (Rp15.000)"),
            ({"discount_percent": "10", "discount_amount": "1000"}, "not both"),
            ({"quota": "5"}, "Unique goods need no quota"),
            ({"number": "0"}, "greater than or equal to 1"),
        ],
    )
    def test_what_makes_no_sense_is_refused_in_a_sentence(
        self, owner: Client, changes: dict[str, str], sentence: str
    ) -> None:
        answer = owner.post(url(Product, "add"), form(**changes))
        assert sentence in words(answer)
        assert (Product.objects.count(), AuditEntry.objects.count()) == (0, 0)

    def test_a_number_that_is_taken_is_refused(self, owner: Client, world: World) -> None:
        world.product(number=200, name="Teh")
        answer = owner.post(url(Product, "add"), form())
        assert "Number 200 belongs to “Teh”. Please choose another one." in words(answer)
        assert "is violated" not in words(answer)
        assert Product.objects.count() == 1

    def test_the_service_refuses_a_taken_number_too(self, world: World) -> None:
        world.product(number=200)
        with pytest.raises(NumberTaken):
            create_product(
                number=200, name="x", customer_price=Decimal(1), actor="x", now=world.now
            )

    def test_the_smallest_free_number_is_suggested(self, owner: Client, world: World) -> None:
        for number in (1, 2, 4):
            world.product(number=number)
        suggested = owner.get(url(Product, "add")).context["adminform"].form["number"].value()
        assert suggested == 3

    def test_a_discount_to_zero_is_warned_of(self, owner: Client) -> None:
        answer = owner.post(url(Product, "add"), form(discount_amount="15.000"))
        assert "With this discount customers pay Rp0" in said(answer)

    def test_staff_who_may_only_look(self, staff: Callable[..., Client]) -> None:
        assert staff("catalog.view_product").post(url(Product, "add"), form()).status_code == 403
        assert not Product.objects.exists()


def audited() -> "QuerySet[AuditEntry]":
    """What was written since the product was made."""
    return AuditEntry.objects.exclude(action="create_product")


class TestChange:
    def test_only_what_was_changed_is_written_and_audited(
        self, owner: Client, world: World
    ) -> None:
        product = world.product(name="Kopi", stock=0)
        address = url(Product, "change", product.pk)
        assert owner.post(address, form_of(product, customer_price="60.000")).status_code == 302
        entry = audited().get()
        assert (entry.action, entry.actor) == ("update_product", actor())
        assert (entry.before, entry.after) == (
            {"customer_price": "50000"},
            {"customer_price": "60000"},
        )

    def test_saving_without_a_change_writes_nothing(self, owner: Client, world: World) -> None:
        product = world.product(stock=0)
        assert owner.post(url(Product, "change", product.pk), form_of(product)).status_code == 302
        assert not audited().exists()

    def test_a_page_opened_before_somebody_elses_change_does_not_undo_it(
        self, owner: Client, world: World
    ) -> None:
        product = world.product(name="Kopi", stock=0)
        shown = {f"initial-{name}": value for name, value in form_of(product).items()}
        assert "initial-customer_price" in body(owner, url(Product, "change", product.pk))
        Product.objects.update(customer_price=90_000)
        owner.post(url(Product, "change", product.pk), form_of(product, **shown, name="Teh"))
        product.refresh_from_db()
        assert (product.name, product.customer_price) == ("Teh", Decimal(90_000))

    def test_the_line_ends_of_a_browser_are_no_change(self, owner: Client, world: World) -> None:
        product = world.product(stock=0, description="one\ntwo")
        changes = form_of(product, description="one\r\ntwo")
        owner.post(url(Product, "change", product.pk), changes)
        product.refresh_from_db()
        assert product.description == "one\ntwo"
        assert not audited().exists()

    def test_a_new_number_keeps_the_key(self, owner: Client, world: World) -> None:
        product = world.product(number=101, stock=0)
        owner.post(url(Product, "change", product.pk), form_of(product, number=300))
        assert Product.objects.get(number=300).pk == product.pk

    def test_goods_keep_their_kind(self, owner: Client, world: World) -> None:
        product = world.product(stock=1)
        owner.post(url(Product, "change", product.pk), form_of(product, kind="shared"))
        product.refresh_from_db()
        assert product.kind == "unique"

    def test_the_history_is_the_audit_trail(self, owner: Client, world: World) -> None:
        product = world.product(stock=0)
        world.product(stock=0)
        answer = owner.get(url(Product, "history", product.pk), follow=True)
        targets = {row.target for row in answer.context["cl"].result_list}
        assert targets == {f"product:{product.pk}"}


class TestOffSale:
    def off(self, product: Product) -> str:
        return reverse("admin:catalog_product_take_off", args=[product.pk])

    def on(self, product: Product) -> str:
        return reverse("admin:catalog_product_put_back", args=[product.pk])

    def test_it_asks_first(self, owner: Client, world: World) -> None:
        product = world.product()
        assert "off sale?" in body(owner, self.off(product))
        product.refresh_from_db()
        assert product.deleted_at is None

    def test_off_and_on_again_each_with_an_audit_entry(self, owner: Client, world: World) -> None:
        product = world.product()
        assert owner.post(self.off(product)).status_code == 302
        assert not Product.objects.on_sale().exists()
        assert product.stock.count() == 10
        assert owner.post(self.on(product)).status_code == 302
        assert Product.objects.on_sale().get() == product
        actions = AuditEntry.objects.filter(actor=actor()).order_by("pk")
        assert [entry.action for entry in actions] == ["take_off_sale", "put_on_sale"]

    def test_back_on_sale_is_refused_while_another_has_its_number(
        self, owner: Client, world: World
    ) -> None:
        product = world.product(number=101)
        owner.post(self.off(product))
        world.product(number=101, name="The heir")
        answer = owner.post(self.on(product))
        assert "Number 101 belongs to “The heir”" in said(answer)
        product.refresh_from_db()
        assert product.deleted_at is not None

    def test_staff_without_the_permission(
        self, staff: Callable[..., Client], world: World
    ) -> None:
        product = world.product()
        client = staff("catalog.view_product", "catalog.change_product")
        assert client.post(self.off(product)).status_code == 403
        product.refresh_from_db()
        assert product.deleted_at is None

    def test_nothing_deletes_a_product(self, owner: Client, world: World) -> None:
        product = world.product()
        assert owner.post(url(Product, "delete", product.pk), {"post": "yes"}).status_code == 403
        assert Product.objects.exists()
