"""Who lives in the random runs and what is sold there."""

from datetime import datetime
from decimal import Decimal

from accounts.models import Customer
from catalog.models import Product, ProductKind
from orders.models import Voucher
from tests.bot.in_process import Driver
from tests.world import World


class Town(World):
    customers: list[Customer]
    products: list[Product]
    vouchers: list[Voucher]

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.customers, self.products, self.vouchers = [], [], []

    def settle_down(self, driver: Driver) -> None:
        """Few of each, and scarce: so they get into each other's way."""
        self.customers = [
            self.customer(name="Sari", balance=150_000),
            self.customer(name="Budi"),
            self.customer(name="Rina", balance=40_000, is_reseller=True),
            self.customer(name="Andi", balance=500, is_admin=True),
        ]
        for customer in self.customers:
            account = {"id": customer.pk, "first_name": customer.name, "language_code": "id"}
            driver.post("/sandbox/api/users/", account)
        self.products = [
            self.product(price=50_000, stock=6),
            self.product(price=12_000, stock=8, reseller_price=Decimal(10_000)),
            self.product(price=300, stock=6),  # below what QRIS collects
            self.product(price=25_000, kind=ProductKind.SHARED, quota=2),
            self.product(price=40_000, kind=ProductKind.FILE),
            self.product(price=0, stock=3),
        ]
        self.vouchers = [
            self.voucher("HEMAT", total_uses=2),
            self.voucher("TERAKHIR", amount=Decimal(25_000), total_uses=1),
            self.voucher("SEPULUH", amount=None, percent=Decimal(10), uses_per_customer=None),
            self.voucher("GRATIS", amount=None, percent=Decimal(100), total_uses=2),
        ]

    def next_serial(self) -> int:
        return next(self._serial)

    def fresh_contents(self, count: int) -> list[str]:
        serial = self.next_serial()
        return [f"late{serial}-{number}:pw" for number in range(count)]
