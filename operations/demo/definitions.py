"""How the demo store's categories and products are written down."""

from dataclasses import dataclass, field
from typing import Any

from catalog.models import ProductKind
from operations.demo.goods import Document, Make


@dataclass(frozen=True)
class DemoCategory:
    name: str
    products: tuple["DemoProduct", ...]
    discount: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class DemoProduct:
    """`fields` are further columns of Product; `popularity` weighs it in the history.

    `stock`: about how many units the history leaves unsold; exactly so many where none of its
    orders ends unpaid.
    """

    number: int
    name: str
    price: int
    description: str
    make: Make | None = None
    stock: int = 0
    shared: str = ""
    document: Document | None = None
    popularity: int = 3
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> ProductKind:
        if self.document is not None:
            return ProductKind.FILE
        return ProductKind.SHARED if self.shared else ProductKind.UNIQUE
