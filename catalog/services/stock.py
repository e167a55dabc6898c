"""Goods: uploaded, reserved for an order, sold with it, or given back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from audit.services import record_audit
from catalog.errors import ImportRefused, OutOfStock, ProductUnavailable
from catalog.models import (
    MOST_CONTENT,
    MOST_FILE,
    Product,
    ProductKind,
    StockBatch,
    StockItem,
    StockItemQuerySet,
    StockState,
)
from catalog.selectors import forget_stock_counts
from core.encryption import NoUsableKey, current_key_id, encrypt, fingerprint

if TYPE_CHECKING:
    from orders.models import OrderItem

CHUNK = 2_000


@dataclass(frozen=True)
class ImportReport:
    """`duplicates` are the positions (from 1) of contents that were skipped."""

    batch: StockBatch | None
    imported: int
    duplicates: tuple[int, ...]


class TooFew(Exception):
    """Fewer rows than wanted could be locked."""

    def __init__(self, found: int) -> None:
        super().__init__(str(found))
        self.found = found


@transaction.atomic
def import_stock(
    *, product_id: int, contents: Sequence[str], actor: str, now: datetime, source: str = "system"
) -> ImportReport:
    """Store one item per content, encrypted; skip and report what the product already has.

    For shared goods there must be exactly one content: it becomes the version sold from now on.
    Raises ProductUnavailable, or ImportRefused when a content is empty or too long, or when
    there is no key to encrypt with.
    """
    product = _product_for_import(product_id)
    cleaned = [content.replace("\x00", "").strip() for content in contents]
    _check_contents(product, cleaned)
    payloads = [(content.encode(), "") for content in cleaned]
    return _store(product, payloads, actor=actor, now=now, source=source)


@transaction.atomic
def import_file(
    *,
    product_id: int,
    data: bytes,
    file_name: str,
    actor: str,
    now: datetime,
    source: str = "system",
) -> ImportReport:
    """Make a document the version of a file product that is sold from now on."""
    product = _product_for_import(product_id)
    if product.kind != ProductKind.FILE:
        raise ImportRefused("this product does not sell a file")
    if not data or len(data) > MOST_FILE:
        raise ImportRefused("the file is empty or larger than 20 MB")
    return _store(product, [(data, file_name[:255])], actor=actor, now=now, source=source)


def _product_for_import(product_id: int) -> Product:
    product = Product.objects.existing().lock().filter(pk=product_id).first()
    if product is None:
        raise ProductUnavailable(product_id)
    return product


def _check_contents(product: Product, contents: list[str]) -> None:
    if product.kind == ProductKind.FILE:
        raise ImportRefused("this product sells a file: upload a document")
    if product.kind == ProductKind.SHARED and len(contents) != 1:
        raise ImportRefused("shared goods have exactly one content")
    for position, content in enumerate(contents, start=1):
        if not content:
            raise _refuse(position, "is empty")
        if len(content) > MOST_CONTENT:
            raise _refuse(position, f"is longer than {MOST_CONTENT:,} characters")


def _refuse(position: int, fault: str) -> ImportRefused:
    return ImportRefused(f"item {position} {fault}", position=position, fault=fault)


def _store(
    product: Product, payloads: list[tuple[bytes, str]], *, actor: str, now: datetime, source: str
) -> ImportReport:
    marks = [fingerprint(data) for data, _name in payloads]
    known = _known_fingerprints(product, marks)
    fresh: list[int] = []
    duplicates: list[int] = []
    for position, mark in enumerate(marks):
        (duplicates if mark in known else fresh).append(position)
        known.add(mark)
    skipped = tuple(position + 1 for position in duplicates)
    if not fresh:
        return ImportReport(batch=None, imported=0, duplicates=skipped)
    key = _current_key()
    if not product.is_unique:
        product.stock.available().update(state=StockState.WITHDRAWN)
    batch = StockBatch.objects.create(
        product=product, imported_by=actor, imported_count=len(fresh), created_at=now
    )
    StockItem.objects.bulk_create(
        (
            StockItem(
                product=product,
                batch=batch,
                content=encrypt(payloads[position][0]),
                fingerprint=marks[position],
                key_id=key,
                file_name=payloads[position][1],
            )
            for position in fresh
        ),
        batch_size=CHUNK,
    )
    record_audit(
        actor=actor,
        action="import_stock",
        target=f"product:{product.pk}",
        source=source,
        now=now,
        changes=(None, {"batch": batch.pk, "items": len(fresh), "duplicates": len(skipped)}),
    )
    forget_stock_counts()
    return ImportReport(batch=batch, imported=len(fresh), duplicates=skipped)


def _current_key() -> str:
    try:
        return current_key_id()
    except NoUsableKey:
        raise ImportRefused("no key encrypts the goods: see STOCK_KEYS") from None


def _known_fingerprints(product: Product, marks: list[bytes]) -> set[bytes]:
    rows = product.stock.exclude(state=StockState.WITHDRAWN)
    return {
        bytes(mark)
        for start in range(0, len(marks), CHUNK)
        for mark in rows.filter(fingerprint__in=marks[start : start + CHUNK]).values_list(
            "fingerprint", flat=True
        )
    }


@transaction.atomic
def reserve_stock(*, order_item: "OrderItem") -> None:
    """Reserve the item's quantity, oldest first, or raise OutOfStock and reserve none."""
    if order_item.product.is_unique:
        _reserve_units(order_item)
    else:
        _reserve_copy(order_item)


def _reserve_units(order_item: "OrderItem") -> None:
    free = order_item.product.stock.available().oldest_first()
    wanted = order_item.quantity
    try:
        # A savepoint: a short result gives its locks back before we wait.
        with transaction.atomic():
            items = _take(free.lock(skip_locked=True), wanted)
    except TooFew:
        # A peer holds the missing rows and may still roll back: wait once, holding nothing.
        try:
            items = _take(free.lock(), wanted)
        except TooFew as few:
            raise OutOfStock(
                product_id=order_item.product_id, wanted=wanted, available=few.found
            ) from None
    StockItem.objects.filter(pk__in=items).update(state=StockState.RESERVED, order_item=order_item)


def _take(rows: StockItemQuerySet, quantity: int) -> list[int]:
    items = list(rows.values_list("pk", flat=True)[:quantity])
    if len(items) < quantity:
        raise TooFew(len(items))
    return items


def _reserve_copy(order_item: "OrderItem") -> None:
    # The product's lock makes "count the copies sold, sell one more" one step.
    product = Product.objects.lock().get(pk=order_item.product_id)
    version = product.stock.available().order_by("-id").first()
    left = copies_left(product) if version else 0
    if version is None or (left is not None and left < order_item.quantity):
        raise OutOfStock(product_id=product.pk, wanted=order_item.quantity, available=left or 0)
    order_item.shared_item = version
    order_item.save(update_fields=["shared_item"])


def units_available(*, product: Product, most: int) -> int:
    """Count in the database how many units can be bought now, up to `most`."""
    versions = product.stock.available().values_list("pk", flat=True)
    if product.is_unique:
        return len(versions[:most])
    left = copies_left(product) if versions[:1] else 0
    return most if left is None else min(left, most)


def copies_left(product: Product) -> int | None:
    """Return how many copies of shared or file goods may still be sold; None: no limit."""
    if product.quota is None:
        return None
    live = product.order_items.filter(
        order__status__in=["pending", "paid"], shared_item__isnull=False
    )
    return max(product.quota - sum(live.values_list("quantity", flat=True)), 0)


@transaction.atomic
def sell_stock(*, order_item: "OrderItem") -> None:
    """Mark what is reserved for this item as sold."""
    reserved = order_item.stock_items.filter(state=StockState.RESERVED)
    ids = list(reserved.oldest_first().lock().values_list("pk", flat=True))
    StockItem.objects.filter(pk__in=ids).update(state=StockState.SOLD)


@transaction.atomic
def release_stock(*, order_item: "OrderItem") -> None:
    """Give back what is reserved for this item."""
    reserved = order_item.stock_items.filter(state=StockState.RESERVED)
    ids = list(reserved.oldest_first().lock().values_list("pk", flat=True))
    StockItem.objects.filter(pk__in=ids).update(state=StockState.AVAILABLE, order_item=None)
    if order_item.shared_item_id is not None:
        order_item.shared_item = None
        order_item.save(update_fields=["shared_item"])
