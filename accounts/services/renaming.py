"""What staff may correct about a customer."""

from datetime import datetime

from django.db import transaction

from accounts.models import Customer
from audit.services import conceal, record_audit


@transaction.atomic
def rename_customer(
    *, customer_id: int, name: str, actor: str, source: str, now: datetime
) -> Customer:
    """Give a customer another name. Raises ValidationError when it is empty or too long."""
    customer = Customer.objects.lock().get(pk=customer_id)
    before, after = customer.name, name.strip()
    if before == after:
        return customer
    customer.name = after
    customer.clean_fields(exclude={f.name for f in Customer._meta.fields} - {"name"})
    customer.save(update_fields=["name"])
    changes = ({"name": before}, {"name": after})
    record_audit(
        actor=actor,
        action="rename_customer",
        target=f"customer:{customer_id}",
        source=source,
        now=now,
        changes=conceal(changes, owner=f"customer:{customer_id}", names={"name"}),
    )
    return customer
