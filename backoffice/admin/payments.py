"""Payments, what the gateway told, and the cases that came of it."""

from typing import Any

from django.contrib import admin
from django.db.models import F
from django.utils.safestring import SafeString

from backoffice.admin.base import ReadOnlyAdmin, time_column
from backoffice.display import badge, link_to, money, pretty_json, state_badge
from payments.models import Case, GatewayEvent, Payment

SECRET_NAMES = ("secret", "key", "token", "signature", "password", "authorization")


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin[Payment]):
    list_display = (
        "reference",
        "customer_name",
        "invoice",
        "purpose",
        "state",
        "base",
        "fee_shown",
        "received",
        "made",
        "completed",
    )
    list_filter = ("status", "purpose", "gateway", "created_at")
    list_select_related = ("customer", "order")
    search_fields = ("reference", "txn_id", "order__invoice_id", "=customer__id")
    search_help_text = "Search by reference, transaction, invoice or customer id"
    ordering = ("-pk",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "reference",
                    "txn_id",
                    "customer_name",
                    "invoice",
                    "purpose",
                    "state",
                    "base",
                    "fee_shown",
                    "to_pay",
                    "received",
                )
            },
        ),
        (
            "Times",
            {"fields": ("made", "expires", "completed", "applied", "ended", "checked", "next")},
        ),
    )
    readonly_fields = (
        "customer_name",
        "invoice",
        "state",
        "base",
        "fee_shown",
        "to_pay",
        "received",
        "made",
        "expires",
        "completed",
        "applied",
        "ended",
        "checked",
        "next",
    )

    made = time_column("created_at", "made")
    expires = time_column("expires_at", "expires")
    completed = time_column("completed_at", "completed")
    applied = time_column("applied_at", "took its effect")
    ended = time_column("ended_at", "ended")
    checked = time_column("last_checked_at", "gateway last asked")
    next = time_column("next_check_at", "gateway asked next")

    @admin.display(description="customer", ordering="customer__name")
    def customer_name(self, row: Payment) -> SafeString | str:
        return link_to(row.customer, row.customer.name)

    @admin.display(description="order", ordering="order")
    def invoice(self, row: Payment) -> SafeString | str:
        return link_to(row.order)

    @admin.display(description="status", ordering="status")
    def state(self, row: Payment) -> SafeString:
        return state_badge(row.status, row.get_status_display())

    @admin.display(description="amount", ordering="amount")
    def base(self, row: Payment) -> str:
        return money(row.amount)

    @admin.display(description="fee", ordering="fee")
    def fee_shown(self, row: Payment) -> str:
        return money(row.fee)

    @admin.display(description="customer pays")
    def to_pay(self, row: Payment) -> str:
        return money(row.total_payment)

    @admin.display(description="received", ordering="received_amount")
    def received(self, row: Payment) -> str:
        return money(row.received_amount)


@admin.register(GatewayEvent)
class GatewayEventAdmin(ReadOnlyAdmin[GatewayEvent]):
    list_display = ("txn_id", "order_id", "status", "received", "handled", "error")
    list_filter = ("status", "gateway", ("handled_at", admin.EmptyFieldListFilter))
    search_fields = ("txn_id", "order_id")
    search_help_text = "Search by transaction or reference"
    ordering = ("-pk",)
    fields = (
        "gateway",
        "txn_id",
        "order_id",
        "status",
        "received",
        "handled",
        "next_try",
        "error",
        "told",
    )
    readonly_fields = ("received", "handled", "next_try", "told")

    received = time_column("received_at", "received")
    handled = time_column("handled_at", "handled")
    next_try = time_column("next_try_at", "next try")

    @admin.display(description="body")
    def told(self, row: GatewayEvent) -> SafeString | str:
        return pretty_json(without_secrets(row.body))


def without_secrets(value: Any) -> Any:
    """Return a JSON value with whatever a name calls a secret blacked out."""
    if isinstance(value, dict):
        return {
            name: "•••" if _is_secret(name) else without_secrets(part)
            for name, part in value.items()
        }
    return [without_secrets(part) for part in value] if isinstance(value, list) else value


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in SECRET_NAMES)


@admin.register(Case)
class CaseAdmin(ReadOnlyAdmin[Case]):
    list_display = ("what", "state", "invoice", "reference", "opened", "closed")
    list_filter = ("kind", ("closed_at", admin.EmptyFieldListFilter))
    list_select_related = ("order", "payment")
    search_fields = ("key", "order__invoice_id", "payment__reference")
    search_help_text = "Search by invoice, payment or cause"
    ordering = (F("closed_at").desc(nulls_first=True), "-pk")
    fields = (
        "what",
        "state",
        "invoice",
        "reference",
        "event_told",
        "key",
        "opened",
        "closed",
        "resolution",
    )
    readonly_fields = ("what", "state", "invoice", "reference", "event_told", "opened", "closed")

    opened = time_column("opened_at", "opened")
    closed = time_column("closed_at", "closed")

    @admin.display(description="what happened", ordering="kind")
    def what(self, row: Case) -> str:
        return row.get_kind_display().capitalize()

    @admin.display(description="status")
    def state(self, row: Case) -> SafeString:
        return badge("Closed") if row.closed_at else badge("Open", "bad")

    @admin.display(description="order")
    def invoice(self, row: Case) -> SafeString | str:
        return link_to(row.order)

    @admin.display(description="payment")
    def reference(self, row: Case) -> SafeString | str:
        return link_to(row.payment)

    @admin.display(description="gateway event")
    def event_told(self, row: Case) -> SafeString | str:
        return link_to(row.event)
