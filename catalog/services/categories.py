"""Categories as staff make, change and delete them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Count, Q

from audit.services import Changes, difference, record_audit
from catalog.errors import CategoryInUse
from catalog.models import Category

EDITABLE = ("name", "discount_percent", "discount_amount")


@transaction.atomic
def create_category(
    *,
    name: str,
    discount_percent: Decimal | None = None,
    discount_amount: Decimal | None = None,
    actor: str = "system",
    source: str = "system",
    now: datetime | None = None,
) -> Category:
    """Create a category, audited when somebody's time `now` is given. Raises ValidationError."""
    category = Category(
        name=name, discount_percent=discount_percent, discount_amount=discount_amount
    )
    category.full_clean()
    category.save()
    if now is not None:
        _record("create_category", category, actor, source, now, (None, _values(category)))
    return category


@transaction.atomic
def update_category(
    *, category_id: int, changes: Mapping[str, Any], actor: str, source: str, now: datetime
) -> Category:
    """Change name or discount (ValueError for another column). Raises ValidationError."""
    if not set(changes) <= set(EDITABLE):
        raise ValueError(sorted(set(changes) - set(EDITABLE)))
    category = _lock(category_id)
    before = _values(category)
    for name, value in changes.items():
        setattr(category, name, value)
    old, new = difference(before, _values(category))
    if new:
        category.full_clean()
        category.save(update_fields=list(new))
        _record("update_category", category, actor, source, now, (old, new))
    return category


@transaction.atomic
def delete_category(*, category_id: int, actor: str, source: str, now: datetime) -> None:
    """Delete an empty category; raise CategoryInUse when products are in it."""
    # The full lock waits for a product that is being put in: its foreign key holds a share.
    category = Category.objects.select_for_update().get(pk=category_id)
    products = category.products.aggregate(
        on_sale=Count("pk", filter=Q(deleted_at=None)),
        off_sale=Count("pk", filter=Q(deleted_at__isnull=False)),
    )
    if any(products.values()):
        raise CategoryInUse(name=category.name, **products)
    _record("delete_category", category, actor, source, now, (_values(category), None))
    category.delete()


def _lock(category_id: int) -> Category:
    return Category.objects.select_for_update(no_key=True).get(pk=category_id)


def _values(category: Category) -> dict[str, Any]:
    percent, amount = category.discount_percent, category.discount_amount
    return {
        "name": category.name,
        "discount_percent": None if percent is None else format(percent.normalize(), "f"),
        "discount_amount": None if amount is None else str(int(amount)),
    }


def _record(
    action: str,
    category: Category,
    actor: str,
    source: str,
    now: datetime,
    changes: Changes,
) -> None:
    record_audit(
        actor=actor,
        action=action,
        target=f"category:{category.pk}",
        source=source,
        now=now,
        changes=changes,
    )
