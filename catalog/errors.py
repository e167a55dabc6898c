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


class NumberTaken(DomainError):
    """Another product that is not deleted has this number."""

    code = "number_taken"

    def __init__(self, *, number: int, product_name: str) -> None:
        super().__init__(f"number {number} belongs to {product_name}")
        self.number = number
        self.product_name = product_name


class KindFixed(DomainError):
    """A product that has goods keeps its kind."""

    code = "kind_fixed"


class CategoryInUse(DomainError):
    """The category still has products, those taken off sale included."""

    code = "category_in_use"

    def __init__(self, *, name: str, on_sale: int, off_sale: int) -> None:
        super().__init__(f"{name}: {on_sale} products, {off_sale} off sale")
        self.name = name
        self.on_sale = on_sale
        self.off_sale = off_sale


class PhotoRefused(DomainError):
    """Telegram would not show this picture; `reason` says why."""

    code = "photo_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ImportRefused(DomainError):
    """Nothing of an upload was stored; `reason` says why.

    `position` (from 1) is that of the content at fault and `fault` what is wrong with it, if it
    is one content's fault.
    """

    code = "import_refused"

    def __init__(self, reason: str, *, position: int | None = None, fault: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position
        self.fault = fault
