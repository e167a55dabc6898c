"""Products as staff make, change and withdraw them. Every change is audited."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from audit.services import difference, record_audit
from catalog.errors import KindFixed, NumberTaken, ProductUnavailable
from catalog.models import Category, Product, ProductKind
from catalog.selectors import forget_stock_counts
from catalog.services.categories import create_category
from catalog.services.photos import set_photo

__all__ = [
    "create_category",
    "create_product",
    "put_on_sale",
    "set_photo",
    "take_off_sale",
    "update_product",
]
EDITABLE = frozenset(
    {
        "number",
        "name",
        "description",
        "category",
        "kind",
        "customer_price",
        "reseller_price",
        "discount_percent",
        "discount_amount",
        "quota",
        "per_order_limit",
        "low_stock_threshold",
        "sold_shown",
        "is_active",
    }
)


@transaction.atomic
def create_product(
    *,
    number: int,
    name: str,
    customer_price: Decimal,
    actor: str,
    now: datetime,
    kind: ProductKind = ProductKind.UNIQUE,
    source: str = "system",
    **fields: Any,
) -> Product:
    """Create a product; `fields` are further columns of Product.

    Raises NumberTaken or ValidationError.
    """
    product = Product(number=number, name=name, customer_price=customer_price, kind=kind, **fields)
    _check_number(product)
    product.full_clean(validate_constraints=False)  # the database does: _save
    _save(product)
    record_audit(
        actor=actor,
        action="create_product",
        target=f"product:{product.pk}",
        source=source,
        now=now,
        changes=(None, {"number": number, "price": str(customer_price), "kind": str(kind)}),
    )
    forget_stock_counts()
    return product


@transaction.atomic
def update_product(
    *, product_id: int, changes: Mapping[str, Any], actor: str, source: str, now: datetime
) -> Product:
    """Change columns of a product (EDITABLE; ValueError for another); the rest stays as it is.

    Raises ProductUnavailable, NumberTaken, KindFixed or ValidationError; then nothing changed.
    """
    if not changes.keys() <= EDITABLE:
        raise ValueError(sorted(changes.keys() - EDITABLE))
    product = _lock(product_id)
    before = {name: _plain(getattr(product, name)) for name in changes}
    for name, value in changes.items():
        setattr(product, name, value)
    old, new = difference(before, {name: _plain(getattr(product, name)) for name in changes})
    if not new:
        return product
    _check_kind(product, list(new))
    _check_number(product)
    product.full_clean(validate_constraints=False)  # the database does: _save
    _save(product, list(new))
    record_audit(
        actor=actor,
        action="update_product",
        target=f"product:{product.pk}",
        source=source,
        now=now,
        changes=(old, new),
    )
    forget_stock_counts()
    return product


@transaction.atomic
def take_off_sale(*, product_id: int, actor: str, source: str, now: datetime) -> Product:
    """Delete a product softly: nobody finds it any more, its orders and goods stay.

    Its number is free from then on. Raises ProductUnavailable when there is no such product.
    """
    product = _lock(product_id)
    if product.deleted_at is None:
        product.deleted_at = now
        product.save(update_fields=["deleted_at"])
        _record_sale(product, "take_off_sale", actor, source, now)
    return product


@transaction.atomic
def put_on_sale(*, product_id: int, actor: str, source: str, now: datetime) -> Product:
    """Bring back a product that was taken off sale or hidden.

    Raises NumberTaken when another product has its number meanwhile, or ProductUnavailable.
    """
    product = _lock(product_id)
    if product.deleted_at is not None or not product.is_active:
        product.deleted_at = None
        product.is_active = True
        _check_number(product)
        _save(product, ["deleted_at", "is_active"])
        _record_sale(product, "put_on_sale", actor, source, now)
    return product


def _lock(product_id: int) -> Product:
    product = Product.objects.lock().filter(pk=product_id).first()
    if product is None:
        raise ProductUnavailable(product_id)
    return product


def _check_number(product: Product) -> None:
    if product.deleted_at is not None:
        return
    holders = Product.objects.existing().filter(number=product.number).exclude(pk=product.pk)
    holder = holders.first()
    if holder is not None:
        raise NumberTaken(number=product.number, product_name=holder.name)


def _save(product: Product, changed: list[str] | None = None) -> None:
    """Save; what a constraint of the table refuses is a ValidationError with its message.

    Raises NumberTaken when another product took the number since it was checked.
    """
    try:
        with transaction.atomic():  # a savepoint, so that who has the number can be looked up
            product.save(update_fields=changed)
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        if name == "product_number_unique":
            _check_number(product)
        broken = [each for each in Product._meta.constraints if each.name == name]
        if not broken:
            raise
        raise ValidationError(broken[0].get_violation_error_message()) from error


def _check_kind(product: Product, changed: list[str]) -> None:
    """Goods of one kind make no sense as another."""
    if "kind" in changed and (product.stock.exists() or product.order_items.exists()):
        raise KindFixed


def _record_sale(product: Product, action: str, actor: str, source: str, now: datetime) -> None:
    is_on_sale = action == "put_on_sale"
    record_audit(
        actor=actor,
        action=action,
        target=f"product:{product.pk}",
        source=source,
        now=now,
        changes=(
            {"on_sale": not is_on_sale, "number": product.number},
            {"on_sale": is_on_sale, "number": product.number},
        ),
    )
    forget_stock_counts()


def _plain(value: Any) -> Any:
    """Return a column's value as JSON can hold it."""
    if isinstance(value, Category):
        return value.name
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return str(value) if value is not None and not isinstance(value, bool | int | str) else value
