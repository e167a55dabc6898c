"""Customers and their money."""

from typing import ClassVar, Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from core.money import ZERO, MoneyField, not_negative, whole_rupiah


class CustomerQuerySet(models.QuerySet["Customer"]):
    def lock(self) -> Self:
        return self.select_for_update(no_key=True)

    def admins(self) -> Self:
        return self.filter(is_admin=True, is_banned=False)

    def reachable(self) -> Self:
        return self.filter(blocked_bot_at=None)


class Customer(models.Model):
    """A Telegram user. The primary key is the Telegram user id, also that of the private chat."""

    id = models.BigIntegerField(primary_key=True)
    name = models.CharField(max_length=255)
    username = models.CharField(max_length=64, blank=True)
    email = models.EmailField(null=True, unique=True)  # noqa: DJ001 (unique among those set)
    whatsapp_number = models.CharField(max_length=20, blank=True)
    language = models.CharField(max_length=8, blank=True, help_text="chosen; empty: not yet")
    telegram_language = models.CharField(max_length=16, blank=True)
    bank_id = models.CharField(max_length=6, unique=True, validators=[RegexValidator(r"^\d{6}$")])
    account_balance = MoneyField(default=ZERO)
    is_admin = models.BooleanField(default=False)
    is_reseller = models.BooleanField(default=False)
    is_banned = models.BooleanField(default=False)
    blocked_bot_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = CustomerQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            not_negative("customer_balance_not_negative", "account_balance"),
            whole_rupiah("customer_balance_whole", "account_balance"),
            models.CheckConstraint(
                condition=Q(bank_id__regex=r"^[0-9]{6}$"), name="customer_bank_id_six_digits"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"

    @property
    def member_status(self) -> str:
        """`admin`, `reseller` or `customer`: derived, never stored."""
        if self.is_admin:
            return "admin"
        return "reseller" if self.is_reseller else "customer"


class LedgerKind(models.TextChoices):
    DEPOSIT = "deposit", "deposit"
    PURCHASE = "purchase", "purchase"
    REFUND = "refund", "refund"
    PAYMENT_CREDIT = "payment_credit", "payment that could not be used for its order"
    TRANSFER = "transfer", "added by staff"
    CORRECTION = "correction", "corrected by staff"


class LedgerEntry(models.Model):
    """One change of a balance. The database refuses UPDATE, DELETE and TRUNCATE."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="ledger")
    amount = MoneyField(help_text="Positive: credited. Negative: debited.")
    balance_after = MoneyField()
    kind = models.CharField(max_length=20, choices=LedgerKind.choices)
    reference = models.CharField(max_length=80, blank=True)
    actor = models.CharField(max_length=80)
    idempotency_key = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "balance movement"
        indexes: ClassVar = [models.Index(fields=["customer", "-id"], name="ledger_customer")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(amount=0), name="ledger_amount_not_zero"),
            not_negative("ledger_balance_not_negative", "balance_after"),
            whole_rupiah("ledger_whole", "amount", "balance_after"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"


class StaffChat(models.Model):
    """A group that hears what staff should know."""

    chat_id = models.BigIntegerField(unique=True)
    title = models.CharField(max_length=255, blank=True)
    hears_orders = models.BooleanField(default=True)
    hears_problems = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "staff group"

    def __str__(self) -> str:
        return self.title or str(self.chat_id)
