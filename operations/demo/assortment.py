"""Puts the demo store's categories, products and goods on sale."""

from datetime import datetime
from decimal import Decimal
from random import Random

from catalog.models import Category, Product
from catalog.services.products import create_category, create_product
from catalog.services.stock import import_file, import_stock
from operations.demo.definitions import DemoCategory, DemoProduct
from operations.demo.goods import make_items
from operations.demo.products import CATEGORIES, LOOSE

ACTOR = "system:seed_demo"
_MONEY = ("reseller_price", "discount_amount", "discount_percent")


def make_assortment(*, rng: Random, now: datetime) -> dict[int, Product]:
    """Make everything that is sold, with its stock; return the products by number."""
    made: list[Product] = []
    for category in CATEGORIES:
        row = _category(category)
        made += [_product(each, row, rng, now) for each in category.products]
    made += [_product(each, None, rng, now) for each in LOOSE]
    return {product.number: product for product in made}


def _category(category: DemoCategory) -> Category:
    discount = {name: Decimal(value) for name, value in category.discount.items()}
    return create_category(name=category.name, **discount)


def _product(demo: DemoProduct, category: Category | None, rng: Random, now: datetime) -> Product:
    fields = {
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
    _fill(product, demo, rng, now)
    return product


def _fill(product: Product, demo: DemoProduct, rng: Random, now: datetime) -> None:
    if demo.document is not None:
        import_file(
            product_id=product.pk,
            data=demo.document.data,
            file_name=demo.document.file_name,
            actor=ACTOR,
            now=now,
        )
        return
    contents = [demo.shared]
    if demo.make is not None:
        contents = make_items(demo.make, number=demo.number, count=demo.stock, rng=rng)
    import_stock(product_id=product.pk, contents=contents, actor=ACTOR, now=now)
