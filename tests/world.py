"""A small shop for tests: customers, products, stock, made through the services."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.utils import timezone

from accounts.models import Customer, LedgerKind
from accounts.services.balance import post_entry
from accounts.services.customers import TelegramProfile, register_customer
from catalog.models import Product, ProductKind
from catalog.services.products import create_product
from catalog.services.stock import import_file, import_stock
from orders.models import Order, Voucher
from payments.models import Payment
from payments.services.checkout import Checkout, buy_with_balance, buy_with_qris


class World:
    def __init__(self, now: datetime | None = None) -> None:
        self.now = now or timezone.now()
        self._serial = count(1)

    def later(self, **span: float) -> datetime:
        """Move the clock and return the new time."""
        self.now += timedelta(**span)
        return self.now

    def customer(self, *, balance: int = 0, name: str = "Sari", **fields: Any) -> Customer:
        serial = next(self._serial)
        profile = TelegramProfile(id=700_000_000 + serial, first_name=name, language_code="id")
        customer, _ = register_customer(profile=profile)
        if fields:
            Customer.objects.filter(pk=customer.pk).update(**fields)
        if balance:
            self.credit(customer, balance)
        customer.refresh_from_db()
        return customer

    def credit(self, customer: Customer, amount: int) -> None:
        post_entry(
            customer_id=customer.pk,
            amount=Decimal(amount),
            kind=LedgerKind.TRANSFER,
            reference="",
            idempotency_key=f"test:{next(self._serial)}",
            actor="test",
            now=self.now,
        )

    def product(
        self,
        *,
        price: int = 50_000,
        stock: int | list[str] = 10,
        kind: ProductKind = ProductKind.UNIQUE,
        **fields: Any,
    ) -> Product:
        serial = next(self._serial)
        product = create_product(
            number=fields.pop("number", 100 + serial),
            name=fields.pop("name", f"Product {serial}"),
            customer_price=Decimal(price),
            kind=kind,
            actor="test",
            now=self.now,
            **fields,
        )
        self.fill(product, stock)
        return product

    def fill(self, product: Product, stock: int | list[str]) -> None:
        if product.kind == ProductKind.FILE:
            import_file(
                product_id=product.pk,
                data=b"PDF of the course",
                file_name="course.pdf",
                actor="test",
                now=self.now,
            )
            return
        if product.kind == ProductKind.SHARED:
            stock = ["https://course.example/join"]
        serial = next(self._serial)
        contents = (
            stock if isinstance(stock, list) else [f"user{serial}-{n}:pw" for n in range(stock)]
        )
        if contents:
            import_stock(product_id=product.pk, contents=contents, actor="test", now=self.now)

    def voucher(self, code: str = "HEMAT", **fields: Any) -> Voucher:
        fields.setdefault("amount", Decimal(10_000))
        return Voucher.objects.create(code=code, **fields)

    def checkout(
        self,
        customer: Customer,
        product: Product,
        *,
        quantity: int = 1,
        total: int | None = None,
        voucher: Voucher | None = None,
        key: str | None = None,
    ) -> Checkout:
        return Checkout(
            customer_id=customer.pk,
            key=key or f"key{next(self._serial)}",
            product_id=product.pk,
            quantity=quantity,
            total=Decimal(total if total is not None else product.customer_price * quantity),
            voucher_id=voucher.pk if voucher else None,
        )

    def qris(self, customer: Customer, product: Product, **checkout: Any) -> Payment:
        return buy_with_qris(
            checkout=self.checkout(customer, product, **checkout),
            chat_id=customer.pk,
            message_id=None,
            now=self.now,
        )

    def paid(self, customer: Customer, product: Product, **checkout: Any) -> Order:
        return buy_with_balance(
            checkout=self.checkout(customer, product, **checkout), now=self.now
        )
