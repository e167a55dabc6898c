"""The store's settings as staff change them. They belong to core, which knows no audit trail."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from audit.services import difference, record_audit
from core.models import StoreSettings

EDITABLE = tuple(field.name for field in StoreSettings._meta.concrete_fields if field.name != "id")


@transaction.atomic
def update_store_settings(
    *, changes: Mapping[str, Any], actor: str, source: str, now: datetime
) -> StoreSettings:
    """Change settings (ValueError for an unknown one), the rest stays. Raises ValidationError."""
    if not set(changes) <= set(EDITABLE):
        raise ValueError(sorted(set(changes) - set(EDITABLE)))
    StoreSettings.objects.get_or_create(pk=1)
    row = StoreSettings.objects.select_for_update(no_key=True).get(pk=1)
    old, new = difference({name: getattr(row, name) for name in changes}, dict(changes))
    if not new:
        return row
    for name, value in new.items():
        setattr(row, name, value)
    row.full_clean()
    row.save(update_fields=list(new))
    record_audit(
        actor=actor,
        action="update_store_settings",
        target="store_settings:1",
        source=source,
        now=now,
        changes=(old, new),
    )
    return row
