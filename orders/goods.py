"""The goods of a paid order, decrypted: only for the buyer's chat."""

from dataclasses import dataclass

from catalog.models import ProductKind, StockItem, StockState
from core.encryption import decrypt
from orders.errors import OrderNotFound
from orders.models import Order, OrderItem, OrderStatus


@dataclass(frozen=True, repr=False)
class GoodsFile:
    name: str
    data: bytes


@dataclass(frozen=True, repr=False)
class Goods:
    """What one order item delivers: contents to copy, or a document."""

    product_name: str
    quantity: int
    contents: list[str]
    document: GoodsFile | None


def goods_of(*, order: Order) -> list[Goods]:
    """Return the goods of a paid order; raise OrderNotFound for an unpaid or withheld one.

    Raises core.encryption.DecryptionError when no key opens them.
    """
    if order.status != OrderStatus.PAID or is_withheld(order=order):
        raise OrderNotFound(order.invoice_id)
    items = order.items.select_related("product", "shared_item").order_by("pk")
    return [_goods(item) for item in items]


def is_withheld(*, order: Order) -> bool:
    """Return whether the order was given back before its goods arrived: they never will."""
    return order.delivered_at is None and order.refunds.exists()


def _goods(item: OrderItem) -> Goods:
    if item.shared_item is not None and item.product.kind == ProductKind.FILE:
        return Goods(item.product_name, item.quantity, [], _document(item.shared_item))
    if item.shared_item is not None:
        content = decrypt(item.shared_item.content).decode()
        return Goods(item.product_name, item.quantity, [content], None)
    rows = item.stock_items.filter(state=StockState.SOLD).order_by("pk")
    contents = [decrypt(row.content).decode() for row in rows]
    return Goods(item.product_name, item.quantity, contents, None)


def _document(version: StockItem) -> GoodsFile:
    return GoodsFile(version.file_name or f"{version.short_id}.bin", decrypt(version.content))
