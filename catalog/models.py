"""What is sold, and the goods themselves."""

from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from core.ids import short_stock_id
from core.money import NOT_NEGATIVE, MoneyField, not_negative, rupiah, whole_rupiah

PERCENT = (MinValueValidator(0), MaxValueValidator(100))
MOST_CONTENT = 5_000
"""Longest content of a text item, in characters."""
MOST_FILE = 20 * 1024 * 1024
"""Largest file product, in bytes: Telegram lets a bot download up to 20 MB (Bot API, getFile)."""


def one_discount(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(discount_percent=None) | Q(discount_amount=None), name=name
    )


def percent_range(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(discount_percent=None) | Q(discount_percent__gte=0, discount_percent__lte=100),
        name=name,
    )


class Category(models.Model):
    name = models.CharField(max_length=255, unique=True)
    discount_percent = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True, validators=PERCENT
    )
    discount_amount = MoneyField(null=True, blank=True, validators=[NOT_NEGATIVE])

    class Meta:
        verbose_name_plural = "categories"
        constraints: ClassVar = [
            one_discount("category_one_discount"),
            percent_range("category_percent"),
            not_negative("category_discount_not_negative", "discount_amount"),
            whole_rupiah("category_discount_whole", "discount_amount"),
        ]

    def __str__(self) -> str:
        return self.name


class ProductKind(models.TextChoices):
    UNIQUE = "unique", "unique: each item is sold once"
    SHARED = "shared", "shared: the same content to every buyer"
    FILE = "file", "file: the same document to every buyer"


class ProductQuerySet(models.QuerySet["Product"]):
    def existing(self) -> Self:
        return self.filter(deleted_at=None)

    def on_sale(self) -> Self:
        return self.existing().filter(is_active=True)

    def lock(self) -> Self:
        # NO KEY: a plain FOR UPDATE would block the foreign-key check of a stock import.
        return self.select_for_update(no_key=True, of=("self",))


class Product(models.Model):
    """`id` never changes and is what buttons carry; `number` is what people type."""

    number = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    name = models.CharField(max_length=255)
    description = models.TextField(max_length=3_000, blank=True)
    category = models.ForeignKey(
        Category, models.SET_NULL, null=True, blank=True, related_name="products"
    )
    kind = models.CharField(max_length=10, choices=ProductKind.choices, default=ProductKind.UNIQUE)
    customer_price = MoneyField(validators=[NOT_NEGATIVE])
    reseller_price = MoneyField(null=True, blank=True, validators=[NOT_NEGATIVE])
    discount_percent = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True, validators=PERCENT
    )
    discount_amount = MoneyField(null=True, blank=True, validators=[NOT_NEGATIVE])
    quota = models.PositiveIntegerField(
        null=True, blank=True, help_text="Shared and file goods: how many may be sold in all."
    )
    per_order_limit = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)]
    )
    low_stock_threshold = models.PositiveIntegerField(default=3)
    sold_shown = models.IntegerField(default=0, help_text="Added to the sold count people see.")
    is_active = models.BooleanField(default=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = ProductQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["number"], condition=Q(deleted_at=None), name="product_number_unique"
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="product_number_positive"),
            one_discount("product_one_discount"),
            percent_range("product_percent"),
            not_negative(
                "product_money_not_negative", "customer_price", "reseller_price", "discount_amount"
            ),
            whole_rupiah(
                "product_money_whole", "customer_price", "reseller_price", "discount_amount"
            ),
            models.CheckConstraint(
                condition=Q(kind=ProductKind.UNIQUE, quota=None) | ~Q(kind=ProductKind.UNIQUE),
                name="product_quota_not_for_unique",
            ),
            models.CheckConstraint(
                condition=Q(per_order_limit=None) | Q(per_order_limit__gte=1),
                name="product_per_order_limit_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"

    @property
    def is_unique(self) -> bool:
        return self.kind == ProductKind.UNIQUE

    def clean(self) -> None:
        """Refuse what no shop means: it would be a slip of the keyboard."""
        listed, reseller = self.customer_price, self.reseller_price
        if listed is not None and reseller is not None and reseller > listed:
            sentence = f"Resellers would pay more than customers do ({rupiah(listed)})."
            raise ValidationError({"reseller_price": sentence})


class ProductPhoto(models.Model):
    """A product's picture, kept in the database and shown in the chat."""

    product = models.OneToOneField(Product, models.CASCADE, related_name="photo")
    image = models.BinaryField()
    content_type = models.CharField(max_length=40, default="image/png")
    telegram_file_id = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"photo of {self.product_id}"


class StockBatch(models.Model):
    """One upload of stock."""

    product = models.ForeignKey(Product, models.PROTECT, related_name="batches")
    imported_by = models.CharField(max_length=80)
    imported_count = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "stock batches"

    def __str__(self) -> str:
        return f"batch {self.pk}"


class StockState(models.TextChoices):
    AVAILABLE = "available", "available"
    RESERVED = "reserved", "reserved"
    SOLD = "sold", "sold"
    WITHDRAWN = "withdrawn", "withdrawn"


class StockItemQuerySet(models.QuerySet["StockItem"]):
    def available(self) -> Self:
        return self.filter(state=StockState.AVAILABLE)

    def oldest_first(self) -> Self:
        return self.order_by("id")

    def lock(self, *, skip_locked: bool = False) -> Self:
        return self.select_for_update(no_key=True, skip_locked=skip_locked, of=("self",))


class StockItem(models.Model):
    """One sellable unit. The content of shared and file goods is one item that stays available."""

    product = models.ForeignKey(Product, models.PROTECT, related_name="stock")
    batch = models.ForeignKey(StockBatch, models.PROTECT, related_name="items")
    content = models.BinaryField(help_text="Encrypted; see core.encryption.")
    fingerprint = models.BinaryField(max_length=32)
    key_id = models.CharField(
        max_length=12,
        blank=True,
        default="",
        db_default="",
        help_text="Which key of STOCK_KEYS encrypted it; empty: not known.",
    )
    file_name = models.CharField(max_length=255, blank=True)
    state = models.CharField(
        max_length=10, choices=StockState.choices, default=StockState.AVAILABLE
    )
    order_item = models.ForeignKey(
        "orders.OrderItem", models.PROTECT, null=True, blank=True, related_name="stock_items"
    )
    created_at = models.DateTimeField(db_default=Now())

    objects = StockItemQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["product", "id"],
                name="stock_next_available",
                condition=Q(state=StockState.AVAILABLE),
            ),
            models.Index(fields=["key_id"], name="stock_key"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["product", "fingerprint"],
                condition=~Q(state=StockState.WITHDRAWN),
                name="stock_content_unique",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[StockState.AVAILABLE, StockState.WITHDRAWN], order_item=None
                )
                | Q(state__in=[StockState.RESERVED, StockState.SOLD], order_item__isnull=False),
                name="stock_order_item_fits_state",
            ),
        ]

    def __str__(self) -> str:
        return self.short_id

    @property
    def short_id(self) -> str:
        return short_stock_id(self.pk)
