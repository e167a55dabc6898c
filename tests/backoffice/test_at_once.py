"""Two members of staff do the same thing at the same instant."""

from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import StaffChat
from audit.models import AuditEntry
from catalog.errors import NumberTaken
from catalog.models import Category, Product
from catalog.services import products
from catalog.services.products import create_product, put_on_sale, update_product
from orders.models import Voucher
from tests.backoffice.pages import url
from tests.backoffice.pictures import png
from tests.backoffice.test_products import form
from tests.concurrency import overlap
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "audit"])


def typed(answer: Any) -> Any:
    return answer.context["adminform"].form


def making(world: World, name: str) -> Any:
    return partial(
        create_product,
        number=200,
        name=name,
        customer_price=Decimal(1),
        actor="x",
        now=world.now,
    )


def test_who_comes_second_to_a_number_keeps_what_was_typed(
    committed_world: World, owner: Client
) -> None:
    given = {"name": "Teh", "description": "Melati", "customer_price": "15.000"}
    # The form finds the number free; the other's product is there when it is to be saved.
    held = making(committed_world, "Kopi")
    photo = SimpleUploadedFile("kopi.png", png(800, 600))
    typed_in = form(**given, photo=photo)
    [answer] = overlap(held, partial(owner.post, url(Product, "add"), typed_in))
    assert answer.status_code == 200
    page = typed(answer)
    assert page.errors == {"number": ["Number 200 belongs to “Kopi”. Please choose another one."]}
    assert [page[name].value() for name in given] == list(given.values())
    assert [product.name for product in Product.objects.all()] == ["Kopi"]
    assert AuditEntry.objects.count() == 1


def test_a_number_taken_after_it_was_checked_is_a_refusal(committed_world: World) -> None:
    [result] = overlap(making(committed_world, "Kopi"), making(committed_world, "Teh"))
    assert isinstance(result, NumberTaken)
    assert (result.number, result.product_name) == (200, "Kopi")
    assert [product.name for product in Product.objects.all()] == ["Kopi"]


def test_control_the_check_alone_cannot_see_it(
    committed_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(product: Product, changed: list[str] | None = None) -> None:
        product.save(update_fields=changed)

    monkeypatch.setattr(products, "_save", save)
    [result] = overlap(making(committed_world, "Kopi"), making(committed_world, "Teh"))
    assert type(result).__name__ == "IntegrityError"


@pytest.mark.parametrize("how", ["change", "put_back"])
def test_a_number_given_to_another_meanwhile_is_a_refusal(
    committed_world: World, how: str
) -> None:
    world = committed_world
    other = world.product(number=300, stock=0)
    signature: dict[str, Any] = {"actor": "x", "source": "x", "now": world.now}
    taking = partial(update_product, product_id=other.pk, changes={"number": 200}, **signature)
    if how == "put_back":
        Product.objects.filter(pk=other.pk).update(number=200, deleted_at=world.now)
        taking = partial(put_on_sale, product_id=other.pk, **signature)
    [result] = overlap(making(world, "Kopi"), taking)
    assert isinstance(result, NumberTaken)
    assert result.product_name == "Kopi"


@pytest.mark.parametrize(
    ("model", "fields", "unique"),
    [
        (Category, {"name": "Game"}, "name"),
        (StaffChat, {"title": "Gudang", "chat_id": "-5"}, "chat_id"),
        (Voucher, {"code": "HEMAT", "amount": "5.000", "least_subtotal": "0"}, "code"),
    ],
)
def test_who_comes_second_to_anything_else_is_told_at_the_field(
    committed_world: World, owner: Client, model: Any, fields: dict[str, str], unique: str
) -> None:
    same = {**fields, "amount": Decimal(5_000)} if model is Voucher else fields
    held = partial(model.objects.create, **same)
    [answer] = overlap(held, partial(owner.post, url(model, "add"), fields))
    assert answer.status_code == 200
    page = typed(answer)
    assert list(page.errors) == [unique]
    assert "already" in page.errors[unique][0]
    assert [page[name].value() for name in fields] == list(fields.values())
    assert model.objects.count() == 1
    assert not AuditEntry.objects.exists()
