"""Attempts to collect money, what the gateway told us, and what a person must look at."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q

from accounts.models import Customer
from core.money import ZERO, MoneyField, not_negative, whole_rupiah
from orders.models import Order


class PaymentPurpose(models.TextChoices):
    ORDER = "order", "order"
    DEPOSIT = "deposit", "deposit"


class PaymentStatus(models.TextChoices):
    CREATING = "creating", "being created"
    PENDING = "pending", "waiting for the customer"
    COMPLETED = "completed", "completed"
    EXPIRED = "expired", "expired"
    CANCELLED = "cancelled", "cancelled"
    FAILED = "failed", "failed"


OPEN = (PaymentStatus.CREATING, PaymentStatus.PENDING)
MANUAL = "manual"
"""Stands where a gateway's name does in a payment that staff recorded by hand."""


class PaymentQuerySet(models.QuerySet["Payment"]):
    def open(self) -> Self:
        return self.filter(status__in=OPEN)

    def lock(self) -> Self:
        return self.select_for_update(no_key=True, of=("self",))

    def due_for_check(self, now: datetime) -> Self:
        rows = self.exclude(status=PaymentStatus.COMPLETED)
        return rows.filter(next_check_at__lte=now).order_by("next_check_at")

    def unapplied(self) -> Self:
        return self.filter(status=PaymentStatus.COMPLETED, applied_at=None)

    def due_for_application(self, now: datetime) -> Self:
        """Completed payments whose effect is due: at once, after a failure with a pause."""
        rows = self.unapplied().filter(Q(next_check_at=None) | Q(next_check_at__lte=now))
        return rows.order_by(F("next_check_at").asc(nulls_first=True), "pk")


class Payment(models.Model):
    """One attempt to collect money through the gateway."""

    purpose = models.CharField(max_length=10, choices=PaymentPurpose.choices)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="payments")
    order = models.ForeignKey(
        Order, models.PROTECT, null=True, blank=True, related_name="payments"
    )
    gateway = models.CharField(max_length=20)
    reference = models.CharField(
        max_length=40, unique=True, help_text="The gateway's order_id: a new one per attempt."
    )
    txn_id = models.CharField(max_length=100, null=True, blank=True)  # noqa: DJ001 (unique if set)
    amount = MoneyField(help_text="Base amount, without the gateway's fee.")
    fee = MoneyField(default=ZERO)
    total_payment = MoneyField(null=True, blank=True)
    received_amount = MoneyField(null=True, blank=True, help_text="Base amount completed there.")
    qr_string = models.TextField(blank=True)
    status = models.CharField(
        max_length=10, choices=PaymentStatus.choices, default=PaymentStatus.CREATING
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    gateway_expires_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    applied_at = models.DateTimeField(
        null=True, blank=True, help_text="When the money took its effect (order, balance or case)."
    )
    last_checked_at = models.DateTimeField(
        null=True, blank=True, help_text="When the gateway was last asked."
    )
    last_answer_at = models.DateTimeField(
        null=True, blank=True, help_text="When it last answered."
    )
    silent_since = models.DateTimeField(
        null=True, blank=True, help_text="The first question since then had no answer."
    )
    next_check_at = models.DateTimeField(null=True, blank=True)
    closed_remotely_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    chat_id = models.BigIntegerField(null=True, blank=True)
    message_id = models.BigIntegerField(null=True, blank=True)
    reason = models.TextField(blank=True, help_text="Why staff recorded it by hand.")

    objects = PaymentQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(status__in=["creating", "pending"]),
                name="payment_one_open_per_order",
            ),
            models.UniqueConstraint(fields=["gateway", "txn_id"], name="payment_txn_unique"),
            models.CheckConstraint(
                condition=Q(purpose=PaymentPurpose.ORDER, order__isnull=False)
                | Q(purpose=PaymentPurpose.DEPOSIT, order=None),
                name="payment_order_fits_purpose",
            ),
            models.CheckConstraint(
                condition=Q(
                    status=PaymentStatus.COMPLETED,
                    received_amount__isnull=False,
                    completed_at__isnull=False,
                )
                | (
                    ~Q(status=PaymentStatus.COMPLETED)
                    & Q(received_amount=None, completed_at=None, applied_at=None)
                ),
                name="payment_completion_fits_status",
            ),
            models.CheckConstraint(
                condition=Q(status__in=PaymentStatus.values), name="payment_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status="creating", ended_at=None)
                | Q(status="pending", ended_at=None, txn_id__isnull=False)
                | Q(status__in=["expired", "cancelled", "failed"], ended_at__isnull=False)
                | Q(status="completed"),
                name="payment_end_fits_status",
            ),
            not_negative(
                "payment_money_not_negative", "amount", "fee", "total_payment", "received_amount"
            ),
            whole_rupiah(
                "payment_money_whole", "amount", "fee", "total_payment", "received_amount"
            ),
            models.CheckConstraint(
                condition=~Q(gateway=MANUAL)
                | (Q(status="completed", txn_id=None) & ~Q(reason="")),
                name="payment_by_hand_has_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(total_payment=None) | Q(total_payment__gte=F("amount")),
                name="payment_total_not_below_amount",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_check_at"],
                name="payment_next_check",
                condition=Q(next_check_at__isnull=False),
            ),
            models.Index(
                fields=["completed_at"],
                name="payment_unapplied",
                condition=Q(status="completed", applied_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_open(self) -> bool:
        return self.status in OPEN


class GatewayEvent(models.Model):
    """A webhook call, stored once per transaction and status."""

    gateway = models.CharField(max_length=20)
    txn_id = models.CharField(max_length=100)
    order_id = models.CharField(max_length=80)
    status = models.CharField(max_length=20)
    body = models.JSONField()
    received_at = models.DateTimeField()
    next_try_at = models.DateTimeField(null=True)
    handled_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["gateway", "txn_id", "status"], name="gateway_event_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_try_at"], name="gateway_event_open", condition=Q(handled_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.txn_id} {self.status}"


class CaseKind(models.TextChoices):
    AMOUNT_DIFFERS = "amount_differs", "another amount than ours was paid"
    UNMATCHED_EVENT = "unmatched_event", "an event that matches no payment"
    DELIVERY_FAILED = "delivery_failed", "paid goods that cannot be delivered"
    PAID_AFTER_MANUAL = "paid_after_manual", "paid again after staff marked it paid"


class Case(models.Model):
    """Something a person must look at."""

    kind = models.CharField(max_length=30, choices=CaseKind.choices)
    key = models.CharField(max_length=120, unique=True, help_text="One case per cause.")
    order = models.ForeignKey(Order, models.PROTECT, null=True, blank=True, related_name="cases")
    payment = models.ForeignKey(
        Payment, models.PROTECT, null=True, blank=True, related_name="cases"
    )
    event = models.ForeignKey(
        GatewayEvent, models.PROTECT, null=True, blank=True, related_name="cases"
    )
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    resolution = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class SilenceQuerySet(models.QuerySet["GatewaySilence"]):
    def lock(self) -> Self:
        return self.select_for_update(no_key=True)


class GatewaySilence(models.Model):
    """A gateway that did not answer when it was last called. No row: it answers."""

    gateway = models.CharField(max_length=20, primary_key=True)
    since = models.DateTimeField()
    last_call_at = models.DateTimeField()
    calls = models.PositiveIntegerField(default=1, help_text="In a row, without an answer.")
    told_at = models.DateTimeField(null=True, help_text="When staff heard that it is down.")

    objects = SilenceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.gateway


class GatewayTurn(models.Model):
    """When the next call of a kind may begin: all processes take their turns from this row."""

    name = models.CharField(max_length=60, primary_key=True, help_text="gateway:call")
    free_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class ReportQuerySet(models.QuerySet["StatusReport"]):
    def lock(self) -> Self:
        return self.select_for_update(no_key=True)


class StatusReport(models.Model):
    """One night's comparison of the gateway's word with ours (rule 7 of money)."""

    day = models.DateField(unique=True, help_text="The store's day it was begun on.")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    last_payment_id = models.BigIntegerField(default=0, help_text="How far it got.")
    checked = models.PositiveIntegerField(default=0)
    unanswered = models.PositiveIntegerField(default=0)
    differences = models.JSONField(
        default=list, help_text="A list of payment, reference, ours, theirs and the amounts."
    )

    objects = ReportQuerySet.as_manager()

    def __str__(self) -> str:
        return f"report of {self.day}"
