"""The audit trail and the store's settings."""
# ruff: noqa: ARG002 (the signatures are Django's)

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString

from audit.models import AuditEntry
from audit.personal import Changes, open_changes
from backoffice.admin.acted import ActedAdmin, actor_column
from backoffice.admin.base import ServiceAdmin
from backoffice.display import clock, pretty_json
from backoffice.forms.rows import StoreSettingsForm
from backoffice.services import update_store_settings
from backoffice.staff import signed
from core.models import StoreSettings


@admin.register(AuditEntry)
class AuditEntryAdmin(ActedAdmin[AuditEntry]):
    list_display = ("when", "by", "what", "target", "source", "difference")
    list_display_links = ("when", "what")
    list_filter = ("action", "source", "at")
    search_fields = ("actor", "action", "target")
    search_help_text = "Search by who, what or which, such as staff:owner or product:7"
    ordering = ("-pk",)
    fields = ("when", "by", "what", "target", "source", "was", "became", "uuid")
    readonly_fields = ("when", "by", "what", "was", "became")

    by = actor_column("actor", "actor")

    def prepare_rows(self, rows: list[AuditEntry]) -> None:
        super().prepare_rows(rows)
        for row, opened in zip(rows, open_changes(rows), strict=True):
            vars(row)["_opened"] = opened

    def row_title(self, row: AuditEntry) -> str:
        return self.what(row)

    @admin.display(description="when", ordering="at")
    def when(self, row: AuditEntry) -> str:
        return clock(row.at)

    @admin.display(description="action", ordering="action")
    def what(self, row: AuditEntry) -> str:
        return row.action.replace("_", " ").capitalize()

    @admin.display(description="what changed")
    def difference(self, row: AuditEntry) -> str:
        """Name what changed, from and to, as long as it is short."""
        before, after = (values or {} for values in _opened(row))
        parts = [f"{name}: {_change(before, after, name)}" for name in {**before, **after}]
        text = " · ".join(parts)
        return text if len(text) <= 120 else f"{text[:119]}…"

    @admin.display(description="before")
    def was(self, row: AuditEntry) -> SafeString | str:
        return pretty_json(_opened(row)[0])

    @admin.display(description="after")
    def became(self, row: AuditEntry) -> SafeString | str:
        return pretty_json(_opened(row)[1])


def _opened(row: AuditEntry) -> Changes:
    """Return before and after with what is about a person, looked up once for a list's page."""
    opened: Changes | None = vars(row).get("_opened")
    return opened or open_changes([row])[0]


def _change(before: dict[str, Any], after: dict[str, Any], name: str) -> str:
    if name in before and name in after:
        return f"{_short(before[name])} → {_short(after[name])}"
    return _short(after.get(name, before.get(name)))


def _short(value: Any) -> str:
    return "–" if value is None or value == "" else str(value)


@admin.register(StoreSettings)
class StoreSettingsAdmin(ServiceAdmin[StoreSettings]):
    """One row: added when it is first saved, never deleted."""

    form = StoreSettingsForm
    audit_target = "store_settings"
    is_single_row = True
    show_add_link = False
    fieldsets = (
        (
            "Payment",
            {
                "fields": (
                    "payment_minutes",
                    "expiry_grace_seconds",
                    "gateway_silence_minutes",
                    "deliver_late_payments",
                )
            },
        ),
        (
            "Limits",
            {
                "fields": (
                    "max_open_orders",
                    "max_units_per_order",
                    "voucher_pause_minutes",
                    "expiries_before_pause",
                    "expiry_pause_minutes",
                )
            },
        ),
        ("Deposits", {"fields": ("deposit_presets", "deposit_least", "deposit_most")}),
        (
            "Keeping",
            {
                "fields": (
                    "keep_messages_days",
                    "keep_events_days",
                    "keep_updates_days",
                    "keep_audit_days",
                )
            },
        ),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever may change them may also be the first to."""
        return self.has_change_permission(request) and not StoreSettings.objects.exists()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead straight to the one row, or to its making."""
        is_saved = StoreSettings.objects.filter(pk=1).exists()
        if not is_saved and self.has_add_permission(request):
            return HttpResponseRedirect(reverse("admin:core_storesettings_add"))
        if is_saved and self.has_view_permission(request):
            return HttpResponseRedirect(reverse("admin:core_storesettings_change", args=[1]))
        return super().changelist_view(request, extra_context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["show_save_and_add_another"] = False
        return super().render_change_form(request, context, *args, **kwargs)

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> StoreSettings:
        return update_store_settings(changes=values, **signed(request))

    def update_row(
        self, request: HttpRequest, row: StoreSettings, changes: dict[str, Any]
    ) -> None:
        update_store_settings(changes=changes, **signed(request))
