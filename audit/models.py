"""Who changed what: written with the change, then shipped to a database of its own."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class AuditEntry(models.Model):
    """One change. Both databases have this table, and each refuses other changes of it.

    In the main database `shipped_at` is set once and only shipped rows are deleted; the columns
    of the chain stay empty. In the audit database a row has its place in the chain (see
    audit.chain) from the start, and neither UPDATE, DELETE nor TRUNCATE is possible.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True)
    actor = models.CharField(max_length=80, help_text="staff:7, customer:900000001 or system")
    action = models.CharField(max_length=60)
    target = models.CharField(max_length=80, help_text="model:key")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    source = models.CharField(max_length=20, help_text="bot, admin, command or system")
    at = models.DateTimeField()
    shipped_at = models.DateTimeField(null=True)
    position = models.BigIntegerField(null=True, unique=True, help_text="1, 2, 3 … in the chain")
    previous_hash = models.BinaryField(null=True, max_length=32)
    hash = models.BinaryField(null=True, max_length=32)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes: ClassVar = [
            models.Index(fields=["id"], name="audit_unshipped", condition=Q(shipped_at=None)),
            models.Index(fields=["target", "-at"], name="audit_target"),
            models.Index(fields=["shipped_at"], name="audit_shipped"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target}"


class AuditHead(models.Model):
    """How far the chain of the audit database goes. One row, in the main database."""

    count = models.BigIntegerField(default=0)
    hash = models.BinaryField(max_length=32)
    seal = models.BinaryField(max_length=32, help_text="Keyed hash of the two above.")
    key_mark = models.BinaryField(max_length=32, help_text="Tells AUDIT_KEY from another one.")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(pk=1), name="audit_head_single_row"),
            models.CheckConstraint(condition=Q(count__gte=0), name="audit_head_count"),
        ]

    def __str__(self) -> str:
        return f"head of the audit trail at {self.count}"


class PersonalKey(models.Model):
    """The key of one person's values in the trail. Without it nobody reads them again."""

    owner = models.CharField(max_length=80, unique=True, help_text="customer:900000001 or staff:7")
    wrapped = models.BinaryField(help_text="Encrypted; see core.encryption.")
    key_id = models.CharField(max_length=12, help_text="Of the key that encrypted it.")
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"key of {self.owner}"
