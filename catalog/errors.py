"""Refusals of this app's services."""

from core.errors import DomainError


class ProductUnavailable(DomainError):
    """The product is deleted, taken off sale, or never existed."""

    code = "product_unavailable"

    def __init__(self, product_id: int) -> None:
        super().__init__(f"product {product_id}")
        self.product_id = product_id


class OutOfStock(DomainError):
    code = "out_of_stock"

    def __init__(self, *, product_id: int, wanted: int, available: int) -> None:
        super().__init__(f"product {product_id}: wanted {wanted}, available {available}")
        self.product_id = product_id
        self.wanted = wanted
        self.available = available


class QuantityOutOfRange(DomainError):
    code = "quantity_out_of_range"

    def __init__(self, *, quantity: int, most: int) -> None:
        super().__init__(f"quantity {quantity}, at most {most}")
        self.quantity = quantity
        self.most = most


class ImportRefused(DomainError):
    """Nothing of an upload was stored; `reason` says why."""

    code = "import_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
