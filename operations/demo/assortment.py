"""Puts the demo store's categories, products and goods on sale."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from catalog.models import Category, Product
from catalog.services.products import create_category, create_product, set_photo
from catalog.services.stock import import_file, import_stock
from operations.demo.definitions import DemoCategory, DemoProduct
from operations.demo.goods import make_items
from operations.demo.products import CATEGORIES, LOOSE, PRODUCTS
from operations.demo.timeline import Story

ACTOR = "system:seed_demo"
PICTURES = Path(__file__).parent / "pictures"
_MONEY = ("reseller_price", "discount_amount", "discount_percent")


def make_assortment(*, now: datetime) -> dict[int, Product]:
    """Make everything that is sold, as yet without goods; return the products by number."""
    made: list[Product] = []
    for category in CATEGORIES:
        row = _category(category)
        made += [_product(each, row, now) for each in category.products]
    made += [_product(each, None, now) for each in LOOSE]
    # The database dates rows itself; the store opened while the clock was travelling.
    Product.objects.update(created_at=now)
    return {product.number: product for product in made}


def _category(category: DemoCategory) -> Category:
    discount: dict[str, Any] = {name: Decimal(value) for name, value in category.discount.items()}
    return create_category(name=category.name, **discount)


def _product(demo: DemoProduct, category: Category | None, now: datetime) -> Product:
    fields: dict[str, Any] = {
        name: Decimal(value) if name in _MONEY else value for name, value in demo.fields.items()
    }
    product = create_product(
        number=demo.number,
        name=demo.name,
        description=demo.description,
        category=category,
        customer_price=Decimal(demo.price),
        kind=demo.kind,
        actor=ACTOR,
        now=now,
        **fields,
    )
    picture = PICTURES / f"{demo.number}.jpg"
    set_photo(product_id=product.pk, image=picture.read_bytes(), content_type="image/jpeg")
    return product


class Warehouse:
    """Goods of all products, delivered to the store in portions.

    Each portion of a product holds what its customers take until the next one; the first also
    what the history leaves unsold.
    """

    def __init__(
        self, *, products: Mapping[int, Product], demand: Mapping[int, list[int]], rng: Random
    ) -> None:
        self.products = products
        self.portions = {
            each.number: _portions(each, demand[each.number], rng)
            for each in PRODUCTS
            if each.make
        }

    def deliver(self, portion: int, now: datetime) -> Story:
        for number, portions in self.portions.items():
            if portions[portion]:
                import_stock(
                    product_id=self.products[number].pk,
                    contents=portions[portion],
                    actor=ACTOR,
                    now=now,
                )
        yield from ()

    def deliver_copies(self, now: datetime) -> None:
        """Bring in the one content of each shared and each file product."""
        for each in PRODUCTS:
            product_id = self.products[each.number].pk
            if each.document is not None:
                import_file(
                    product_id=product_id,
                    data=each.document.data,
                    file_name=each.document.file_name,
                    actor=ACTOR,
                    now=now,
                )
            elif each.shared:
                import_stock(product_id=product_id, contents=[each.shared], actor=ACTOR, now=now)


def _portions(demo: DemoProduct, demand: list[int], rng: Random) -> list[list[str]]:
    if demo.make is None:
        return [[] for _ in demand]
    sizes = [demo.stock + demand[0], *demand[1:]]
    items = iter(make_items(demo.make, number=demo.number, count=sum(sizes), rng=rng))
    return [[next(items) for _ in range(size)] for size in sizes]
