"""What no product may be: the service says so, whether the field or the table knows it."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from audit.models import AuditEntry
from catalog.errors import NumberTaken
from catalog.models import Product
from catalog.services.products import create_product, update_product
from tests.world import World

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"discount_percent": 10, "discount_amount": 1_000}, "product_one_discount"),
    ({"discount_percent": 101}, "100"),
    ({"customer_price": Decimal("50000.5")}, ""),
    ({"customer_price": Decimal(-1)}, "0"),
    ({"reseller_price": Decimal(-1)}, "0"),
    ({"quota": 5}, ""),
    ({"per_order_limit": 0}, "1"),
    ({"number": 0}, "1"),
    ({"name": ""}, "blank"),
]


@pytest.mark.parametrize(("changes", "said"), REFUSED, ids=[str(each) for each, _ in REFUSED])
def test_it_is_neither_made_nor_changed_so(
    world: World, changes: dict[str, Any], said: str
) -> None:
    product = world.product(stock=0)
    before = AuditEntry.objects.count()
    for refused in (
        lambda: update_product(
            product_id=product.pk, changes=changes, actor="x", source="x", now=world.now
        ),
        lambda: create_product(
            **{"number": 7, "name": "Tea", "customer_price": Decimal(1), **changes},
            actor="x",
            now=world.now,
        ),
    ):
        with pytest.raises(ValidationError) as refusal:
            refused()
        assert said in " ".join(refusal.value.messages)
    assert [row.pk for row in Product.objects.all()] == [product.pk]
    for name in changes:
        assert getattr(Product.objects.get(), name) == getattr(product, name)
    assert AuditEntry.objects.count() == before


def test_a_number_belongs_to_one_product(world: World) -> None:
    world.product(number=7)
    with pytest.raises(NumberTaken):
        world.product(number=7)
