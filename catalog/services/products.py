"""Products and categories as staff make them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from audit.services import record_audit
from catalog.models import Category, Product, ProductKind, ProductPhoto


def create_category(
    *, name: str, discount_percent: Decimal | None = None, discount_amount: Decimal | None = None
) -> Category:
    category = Category(
        name=name, discount_percent=discount_percent, discount_amount=discount_amount
    )
    category.full_clean()
    category.save()
    return category


@transaction.atomic
def create_product(
    *,
    number: int,
    name: str,
    customer_price: Decimal,
    actor: str,
    now: datetime,
    kind: ProductKind = ProductKind.UNIQUE,
    **fields: Any,
) -> Product:
    """Create a product; `fields` are further columns of Product. Raises ValidationError."""
    product = Product(number=number, name=name, customer_price=customer_price, kind=kind, **fields)
    product.full_clean()
    product.save()
    record_audit(
        actor=actor,
        action="create_product",
        target=f"product:{product.pk}",
        source="system",
        now=now,
        changes=(None, {"number": number, "price": str(customer_price), "kind": str(kind)}),
    )
    return product


def set_photo(*, product_id: int, image: bytes, content_type: str = "image/png") -> ProductPhoto:
    photo, _ = ProductPhoto.objects.update_or_create(
        product_id=product_id,
        defaults={"image": image, "content_type": content_type, "telegram_file_id": ""},
    )
    return photo
