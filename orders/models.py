"""Orders, vouchers, refunds."""

from typing import ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from accounts.models import Customer
from catalog.models import Product, StockItem
from core.money import NOT_NEGATIVE, ZERO, MoneyField, not_negative, whole_rupiah
from orders.refund_terms import PLACES, RefundTerms, Steps, read_multiplier


class OrderStatus(models.TextChoices):
    PENDING = "pending", "waiting for payment"
    PAID = "paid", "paid"
    EXPIRED = "expired", "expired"
    CANCELLED = "cancelled", "cancelled"


class PaymentMethod(models.TextChoices):
    QRIS = "qris", "QRIS"
    BALANCE = "balance", "balance"
    FREE = "free", "free"
    MANUAL = "manual", "recorded by staff"


class OrderQuerySet(models.QuerySet["Order"]):
    def lock(self) -> Self:
        return self.select_for_update(no_key=True, of=("self",))

    def pending(self) -> Self:
        return self.filter(status=OrderStatus.PENDING)

    def paid(self) -> Self:
        return self.filter(status=OrderStatus.PAID)


class Order(models.Model):
    """A purchase. Its price is fixed when it is placed; `expires_at` is set once."""

    invoice_id = models.CharField(max_length=24, unique=True)
    checkout_key = models.CharField(
        max_length=60, unique=True, help_text="One per summary shown: pressing twice is one order."
    )
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="orders")
    subtotal = MoneyField()
    voucher_discount = MoneyField(default=ZERO)
    payment_fee = MoneyField(default=ZERO, help_text="What the gateway added, paid on top.")
    total_bill = MoneyField(help_text="Subtotal less voucher, without the gateway's fee.")
    payment_method = models.CharField(max_length=10, choices=PaymentMethod.choices)
    status = models.CharField(
        max_length=10, choices=OrderStatus.choices, default=OrderStatus.PENDING
    )
    placed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="expired or cancelled at")

    objects = OrderQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["customer", "-id"], name="order_customer"),
            models.Index(
                fields=["expires_at"],
                name="order_pending_expiry",
                condition=Q(status=OrderStatus.PENDING),
            ),
            models.Index(fields=["-paid_at"], name="order_paid"),
            models.Index(
                fields=["paid_at"],
                name="order_undelivered",
                condition=Q(status=OrderStatus.PAID, delivered_at=None),
            ),
        ]
        constraints: ClassVar = [
            not_negative(
                "order_money_not_negative", "subtotal", "voucher_discount", "payment_fee"
            ),
            whole_rupiah(
                "order_money_whole", "subtotal", "voucher_discount", "payment_fee", "total_bill"
            ),
            models.CheckConstraint(
                condition=Q(total_bill=F("subtotal") - F("voucher_discount"), total_bill__gte=0),
                name="order_total_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "paid"], ended_at=None)
                | Q(status__in=["expired", "cancelled"], ended_at__isnull=False),
                name="order_ended_at_fits_status",
            ),
            models.CheckConstraint(
                condition=Q(status=OrderStatus.PAID, paid_at__isnull=False)
                | (~Q(status=OrderStatus.PAID) & Q(paid_at=None, delivered_at=None)),
                name="order_paid_at_fits_status",
            ),
        ]

    def __str__(self) -> str:
        return self.invoice_id


class OrderItem(models.Model):
    order = models.ForeignKey(Order, models.PROTECT, related_name="items")
    product = models.ForeignKey(Product, models.PROTECT, related_name="order_items")
    product_name = models.CharField(max_length=255)
    quantity = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    unit_price = MoneyField()
    shared_item = models.ForeignKey(
        StockItem,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="shared_order_items",
        help_text="Shared and file goods: the version this buyer receives.",
    )

    class Meta:
        indexes: ClassVar = [models.Index(fields=["product", "order"], name="order_item_product")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(quantity__gte=1), name="order_item_quantity"),
            not_negative("order_item_price_not_negative", "unit_price"),
            whole_rupiah("order_item_price_whole", "unit_price"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product_name}"


class VoucherQuerySet(models.QuerySet["Voucher"]):
    def lock(self) -> Self:
        return self.select_for_update(no_key=True)


class Voucher(models.Model):
    """Codes are stored in upper case."""

    code = models.CharField(max_length=32, unique=True)
    amount = MoneyField(null=True, blank=True, validators=[NOT_NEGATIVE])
    percent = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    most_discount = MoneyField(null=True, blank=True, help_text="Cap of a percent voucher.")
    least_subtotal = MoneyField(default=ZERO)
    valid_from = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    total_uses = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: no limit.")
    uses_per_customer = models.PositiveIntegerField(null=True, blank=True, default=1)
    is_active = models.BooleanField(default=True)

    objects = VoucherQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(amount__isnull=False, percent=None)
                | Q(amount=None, percent__isnull=False),
                name="voucher_amount_or_percent",
            ),
            models.CheckConstraint(
                condition=Q(percent=None) | Q(percent__gt=0, percent__lte=100),
                name="voucher_percent_range",
            ),
            models.CheckConstraint(
                condition=Q(code__regex=r"^[A-Z0-9_-]+$"), name="voucher_code_characters"
            ),
            not_negative(
                "voucher_money_not_negative", "amount", "most_discount", "least_subtotal"
            ),
            whole_rupiah("voucher_money_whole", "amount", "most_discount", "least_subtotal"),
        ]

    def __str__(self) -> str:
        return self.code


class VoucherUseState(models.TextChoices):
    RESERVED = "reserved", "reserved"
    CONSUMED = "consumed", "consumed"
    RELEASED = "released", "released"


class VoucherUse(models.Model):
    voucher = models.ForeignKey(Voucher, models.PROTECT, related_name="uses")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="voucher_uses")
    order = models.OneToOneField(Order, models.PROTECT, related_name="voucher_use")
    state = models.CharField(
        max_length=10, choices=VoucherUseState.choices, default=VoucherUseState.RESERVED
    )
    consumed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(state=VoucherUseState.RESERVED),
                name="voucher_one_open_order_per_customer",
            ),
            models.CheckConstraint(
                condition=Q(state="consumed", consumed_at__isnull=False)
                | Q(state__in=["reserved", "released"], consumed_at=None),
                name="voucher_use_consumed_at_fits_state",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["voucher", "state"], name="voucher_use_state")]

    def __str__(self) -> str:
        return f"{self.voucher_id} on {self.order_id}"


class RefundPolicy(models.Model):
    """One version of the refund formula; the newest is in force. The database keeps all."""

    period_days = models.PositiveIntegerField()
    day_steps = models.JSONField(help_text='Pairs of day and multiplier: [[0, "0.8"], …].')
    claim_steps = models.JSONField(help_text='Pairs of claims and multiplier: [[1, "0.6"], …].')
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=80)

    class Meta:
        verbose_name = "refund formula"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(period_days__gte=1), name="refund_policy_period")
        ]

    def __str__(self) -> str:
        return str(self.terms)

    @property
    def terms(self) -> RefundTerms:
        return RefundTerms(self.period_days, _read(self.day_steps), _read(self.claim_steps))


def _read(steps: list[tuple[int, str]]) -> Steps:
    return tuple((number, read_multiplier(multiplier)) for number, multiplier in steps)


class RefundKind(models.TextChoices):
    BALANCE = "balance", "to the balance"
    OUTSIDE = "outside", "paid outside the shop"


class Refund(models.Model):
    """What was given back for units of an order item, with all that the figure came from.

    The database refuses to change one, and one that exceeds what was paid for the goods.
    """

    quote_key = models.CharField(
        max_length=80, unique=True, help_text="One per quote: confirming twice is one refund."
    )
    order = models.ForeignKey(Order, models.PROTECT, related_name="refunds")
    order_item = models.ForeignKey(OrderItem, models.PROTECT, related_name="refunds")
    units = models.PositiveIntegerField()
    price = MoneyField(help_text="Paid for these units, after their share of the voucher.")
    amount = MoneyField()
    policy = models.ForeignKey(
        RefundPolicy,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="refunds",
        help_text="Empty: the formula the shop comes with.",
    )
    period_days = models.PositiveIntegerField()
    days_used = models.PositiveIntegerField()
    claims = models.PositiveIntegerField()
    multiplier = models.DecimalField(max_digits=PLACES + 1, decimal_places=PLACES)
    kind = models.CharField(max_length=10, choices=RefundKind.choices)
    note = models.CharField(max_length=500, blank=True)
    actor = models.CharField(max_length=80)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, amount__lte=F("price")),
                name="refund_amount_within_price",
            ),
            whole_rupiah("refund_money_whole", "amount", "price"),
            models.CheckConstraint(
                condition=Q(units__gte=1, period_days__gte=1), name="refund_counts"
            ),
            models.CheckConstraint(
                condition=Q(multiplier__gte=0, multiplier__lte=1), name="refund_multiplier_range"
            ),
            models.CheckConstraint(
                condition=Q(kind=RefundKind.BALANCE) | (Q(kind=RefundKind.OUTSIDE) & ~Q(note="")),
                name="refund_kind_fits_note",
            ),
        ]

    def __str__(self) -> str:
        return f"refund {self.pk} of {self.order_id}"
