"""The outbox, the audit trail and the store's settings."""
# ruff: noqa: ARG002 (the signatures are Django's)

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from audit.models import AuditEntry
from backoffice.admin.base import ModelAdmin, ReadOnlyAdmin
from core.models import OutboxMessage, StoreSettings


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin[OutboxMessage]):
    list_display = ("id", "kind", "recipient", "state", "attempts", "created_at", "sent_at")
    list_display_links = ("id", "kind")
    list_filter = ("state", "kind", "priority", "created_at")
    search_fields = ("=recipient", "dedupe_key")
    ordering = ("-pk",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin[AuditEntry]):
    list_display = ("at", "actor", "action", "target", "source", "shipped_at")
    list_filter = ("action", "source", "at")
    search_fields = ("actor", "action", "target")
    ordering = ("-pk",)


@admin.register(StoreSettings)
class StoreSettingsAdmin(ModelAdmin[StoreSettings]):
    """One row: added when it is first saved, never deleted."""

    list_display = ("__str__", "payment_minutes", "max_open_orders", "max_units_per_order")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not StoreSettings.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: StoreSettings, form: Any, change: Any) -> None:
        obj.pk = 1
        super().save_model(request, obj, form, change)
