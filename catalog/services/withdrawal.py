"""Takes uploaded goods out of the store again."""

from datetime import datetime

from django.db import transaction

from audit.services import record_audit
from catalog.models import Product, StockBatch, StockItem, StockState
from catalog.selectors import forget_stock_counts


@transaction.atomic
def withdraw_batch(*, batch_id: int, actor: str, source: str, now: datetime) -> int:
    """Withdraw what nobody has reserved or bought of an upload; return how many items.

    What is reserved or sold stays what it is: it belongs to an order.
    """
    batch = StockBatch.objects.get(pk=batch_id)
    # Against an upload of the same goods: it sees them as known, or as withdrawn.
    product = Product.objects.lock().get(pk=batch.product_id)
    # Waits for an order that is reserving some of them, and leaves those to it.
    free = batch.items.all().available().oldest_first().lock()
    ids = list(free.values_list("pk", flat=True))
    if not ids:
        return 0
    StockItem.objects.filter(pk__in=ids).update(state=StockState.WITHDRAWN)
    record_audit(
        actor=actor,
        action="withdraw_batch",
        target=f"product:{product.pk}",
        source=source,
        now=now,
        changes=({"batch": batch.pk, "available": len(ids)}, {"available": 0}),
    )
    forget_stock_counts()
    return len(ids)
