"""What every app may need: the outbox, the store's settings, signs of life of the processes."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from core.encryption import DecryptionError, EncryptionError, NoUsableKey
from core.money import MoneyField, rupiah, whole_rupiah


class OutboxPriority(models.IntegerChoices):
    ORDER = 10, "order"
    NOTICE = 20, "notice"
    BROADCAST = 90, "broadcast"


class OutboxState(models.TextChoices):
    PENDING = "pending", "pending"
    SENT = "sent", "sent"
    DROPPED = "dropped", "dropped: no longer of use"
    BLOCKED = "blocked", "blocked by the recipient"
    FAILED = "failed", "failed for good"


WAITS_FOR_KEY = Q()
"""Rows whose last error was that no key opens what they hold: it begins with the error's name."""
for _each in (EncryptionError, DecryptionError, NoUsableKey):
    WAITS_FOR_KEY |= Q(error__startswith=f"{_each.__name__}:")


class OutboxQuerySet(models.QuerySet["OutboxMessage"]):
    def lock(self) -> Self:
        return self.select_for_update(no_key=True)

    def pending(self) -> Self:
        return self.filter(state=OutboxState.PENDING)

    def due(self, now: datetime) -> Self:
        """Pending rows whose time has come, nobody holds, and nothing before them waits.

        Per chat only the first row is due, so that messages arrive in order, and none while
        Telegram wants that chat left alone: also what was written since waits then. Goods that
        no key opens may wait for ever: what comes after them does not.
        """
        of_this_chat = OutboxMessage.objects.pending().filter(recipient=OuterRef("recipient"))
        earlier = of_this_chat.exclude(WAITS_FOR_KEY).filter(
            Q(priority__lt=OuterRef("priority"))
            | Q(priority=OuterRef("priority"), pk__lt=OuterRef("pk"))
        )
        return (
            self.pending()
            .filter(Q(not_before=None) | Q(not_before__lte=now))
            .filter(Q(leased_until=None) | Q(leased_until__lt=now))
            .filter(Q(recipient=None) | ~Exists(earlier))
            .filter(~Exists(of_this_chat.filter(chat_waits_until__gt=now)))
            .order_by("priority", "pk")
        )

    def claim(self, *, now: datetime, limit: int, lease: timedelta) -> list["OutboxMessage"]:
        """Lease up to `limit` due rows to the caller; call it inside a transaction."""
        rows = list(self.due(now).select_for_update(skip_locked=True, no_key=True)[:limit])
        for row in rows:
            row.leased_until = now + lease
            row.attempts += 1
        self.bulk_update(rows, ["leased_until", "attempts"])
        return rows


class OutboxMessage(models.Model):
    recipient = models.BigIntegerField(null=True, help_text="Telegram chat id; empty: staff")
    kind = models.CharField(max_length=40)
    references = models.JSONField(default=dict)
    priority = models.SmallIntegerField(choices=OutboxPriority.choices)
    dedupe_key = models.CharField(max_length=120, unique=True)
    not_before = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    state = models.CharField(
        max_length=10, choices=OutboxState.choices, default=OutboxState.PENDING
    )
    error = models.CharField(max_length=300, blank=True)
    telegram_message_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    chat_waits_until = models.DateTimeField(
        null=True, help_text="Telegram wants nothing more in this chat until then."
    )
    alerted_at = models.DateTimeField(
        null=True, help_text="When staff were told that it does not arrive."
    )

    objects = OutboxQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["priority", "id"],
                name="outbox_pending",
                condition=Q(state=OutboxState.PENDING),
            ),
            models.Index(
                fields=["recipient"],
                name="outbox_blocked",
                condition=Q(state=OutboxState.BLOCKED),
            ),
            models.Index(
                fields=["recipient", "priority", "id"],
                name="outbox_pending_recipient",
                condition=Q(state=OutboxState.PENDING),
            ),
            models.Index(
                fields=["created_at"],
                name="outbox_done",
                condition=Q(state__in=[OutboxState.SENT, OutboxState.DROPPED]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.recipient or 'staff'}"


class SendingTurnQuerySet(models.QuerySet["SendingTurn"]):
    def lock(self) -> Self:
        return self.select_for_update(no_key=True)


class SendingTurn(models.Model):
    """When the next message may be sent while Redis is away: all processes take turns here."""

    name = models.CharField(max_length=40, primary_key=True, help_text="A chat id, or all.")
    free_at = models.DateTimeField()

    objects = SendingTurnQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


DEPOSIT_LEAST, DEPOSIT_MOST = 500, 10_000_000
"""What QRIS can collect at once (Pakasir)."""


def default_deposit_presets() -> list[int]:
    return [10_000, 25_000, 50_000, 100_000, 250_000, 500_000]


class StoreSettings(models.Model):
    """What staff edit. One row; secrets and infrastructure stay in the environment."""

    payment_minutes = models.PositiveSmallIntegerField(
        default=10, validators=[MinValueValidator(1), MaxValueValidator(1440)]
    )
    expiry_grace_seconds = models.PositiveSmallIntegerField(default=15)
    gateway_silence_minutes = models.PositiveSmallIntegerField(
        default=5, help_text="How long stock waits for a gateway that does not answer."
    )
    deliver_late_payments = models.BooleanField(default=True)
    max_open_orders = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1)]
    )
    max_units_per_order = models.PositiveSmallIntegerField(
        default=20, validators=[MinValueValidator(1)]
    )
    voucher_pause_minutes = models.PositiveSmallIntegerField(default=5)
    expiries_before_pause = models.PositiveSmallIntegerField(
        default=3, help_text="Within the hour; 0: nobody is paused."
    )
    expiry_pause_minutes = models.PositiveSmallIntegerField(default=15)
    deposit_presets = ArrayField(
        models.PositiveIntegerField(), default=default_deposit_presets, size=12
    )
    deposit_least = MoneyField(default=10_000)
    deposit_most = MoneyField(default=5_000_000)
    keep_messages_days = models.PositiveSmallIntegerField(
        default=90, validators=[MinValueValidator(1)]
    )
    keep_events_days = models.PositiveSmallIntegerField(
        default=90, validators=[MinValueValidator(3)]
    )
    keep_updates_days = models.PositiveSmallIntegerField(
        default=7, validators=[MinValueValidator(2)]
    )
    keep_audit_days = models.PositiveSmallIntegerField(
        default=365, validators=[MinValueValidator(1)]
    )

    class Meta:
        verbose_name_plural = "store settings"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(pk=1), name="store_settings_single_row"),
            models.CheckConstraint(
                condition=Q(
                    payment_minutes__gte=1, max_open_orders__gte=1, max_units_per_order__gte=1
                ),
                name="store_settings_limits",
            ),
            models.CheckConstraint(
                condition=Q(
                    deposit_least__gte=DEPOSIT_LEAST,
                    deposit_least__lte=F("deposit_most"),
                    deposit_most__lte=DEPOSIT_MOST,
                ),
                name="store_settings_deposits",
            ),
            whole_rupiah("store_settings_whole", "deposit_least", "deposit_most"),
            models.CheckConstraint(
                condition=Q(
                    keep_messages_days__gte=1,
                    keep_events_days__gte=3,
                    keep_updates_days__gte=2,
                    keep_audit_days__gte=1,
                ),
                name="store_settings_retention",
            ),
        ]

    def __str__(self) -> str:
        return "Store settings"

    def clean(self) -> None:
        if not DEPOSIT_LEAST <= self.deposit_least <= self.deposit_most <= DEPOSIT_MOST:
            limits = f"{rupiah(DEPOSIT_LEAST)} and {rupiah(DEPOSIT_MOST)}"
            sentence = f"The limits of a deposit must lie between {limits}, the smaller one first."
            raise ValidationError({"deposit_least": sentence})
        if not all(
            self.deposit_least <= each <= self.deposit_most for each in self.deposit_presets
        ):
            sentence = "Every amount must lie within the limits of a deposit."
            raise ValidationError({"deposit_presets": sentence})

    @property
    def payment_time(self) -> timedelta:
        return timedelta(minutes=self.payment_minutes)

    @property
    def expiry_grace(self) -> timedelta:
        return timedelta(seconds=self.expiry_grace_seconds)

    @property
    def gateway_silence(self) -> timedelta:
        return timedelta(minutes=self.gateway_silence_minutes)

    @property
    def voucher_pause(self) -> timedelta:
        return timedelta(minutes=self.voucher_pause_minutes)

    @property
    def expiry_pause(self) -> timedelta:
        return timedelta(minutes=self.expiry_pause_minutes)


def store_settings() -> StoreSettings:
    """Return the store's settings, or their defaults while nobody has saved any."""
    return StoreSettings.objects.filter(pk=1).first() or StoreSettings(pk=1)


class Heartbeat(models.Model):
    """When a long-running process was last seen alive."""

    name = models.CharField(max_length=40, primary_key=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
