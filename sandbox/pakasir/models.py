"""What the stand-in gateway remembers. In the database, as several threads answer."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class PakasirTransaction(models.Model):
    class Status(models.TextChoices):
        PENDING = "pending"
        COMPLETED = "completed"
        CANCELED = "canceled"

    txn_id = models.CharField(max_length=40, unique=True)
    project = models.CharField(max_length=100)
    order_id = models.CharField(max_length=255)
    amount = models.BigIntegerField()
    fee = models.BigIntegerField()
    total_payment = models.BigIntegerField()
    paid_amount = models.BigIntegerField(null=True)
    qr_string = models.TextField()
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    created_at = models.DateTimeField(default=timezone.now)
    expired_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "order_id"], name="pakasir_order_id_once_per_project"
            ),
            models.CheckConstraint(
                condition=Q(status="completed", completed_at__isnull=False)
                | Q(~Q(status="completed"), completed_at__isnull=True),
                name="pakasir_completed_has_its_time",
            ),
        ]

    def __str__(self) -> str:
        return self.txn_id

    @property
    def received(self) -> int:
        """The base amount that status and webhook state."""
        return self.amount if self.paid_amount is None else self.paid_amount


class FaultQuerySet(models.QuerySet["PakasirFault"]):
    def take(self, call: str) -> "PakasirFault | None":
        """Use up the oldest fault waiting for this call: one caller gets it, not two."""
        waiting = self.filter(call=call, used__lt=F("times"))
        while fault := waiting.order_by("pk").first():
            if waiting.filter(pk=fault.pk).update(used=F("used") + 1):
                return fault
        return None


class PakasirFault(models.Model):
    class Call(models.TextChoices):
        CREATE = "create"
        STATUS = "status"
        CANCEL = "cancel"
        FEE = "fee"

    class Kind(models.TextChoices):
        TIMEOUT = "timeout"
        TIMEOUT_AFTER_EFFECT = "timeout_after_effect"
        LIMITED = "429"
        ERROR = "500"
        HTML = "html"
        EMPTY = "empty"
        SLOW = "slow"
        WRONG_AMOUNT = "wrong_amount"
        SANDBOX_FLAG = "sandbox_flag"

    call = models.CharField(max_length=10, choices=Call)
    kind = models.CharField(max_length=20, choices=Kind)
    times = models.PositiveIntegerField(default=1)
    used = models.PositiveIntegerField(default=0)
    delay_ms = models.PositiveIntegerField()

    objects = FaultQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.call}: {self.kind}"


class PakasirWindow(models.Model):
    """The calls let through lately under one rate limit, as seconds since the epoch."""

    name = models.CharField(max_length=60, unique=True)
    passed = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.name


def forget_everything() -> None:
    for model in (PakasirTransaction, PakasirFault, PakasirWindow):
        model._default_manager.all().delete()
