"""Who changed what: written with the change, then shipped to a database of its own."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q


class AuditEntry(models.Model):
    uuid = models.UUIDField(default=uuid.uuid4, unique=True)
    actor = models.CharField(max_length=80, help_text="staff:7, customer:900000001 or system")
    action = models.CharField(max_length=60)
    target = models.CharField(max_length=80, help_text="model:key")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    source = models.CharField(max_length=20, help_text="bot, admin, command or system")
    at = models.DateTimeField()
    shipped_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes: ClassVar = [
            models.Index(fields=["id"], name="audit_unshipped", condition=Q(shipped_at=None)),
            models.Index(fields=["target", "-at"], name="audit_target"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target}"
