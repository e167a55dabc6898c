"""Payments and what the gateway told of them."""

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString

from backoffice.admin.base import ReadOnlyAdmin, time_column
from backoffice.display import NOTHING, link_to, money, pretty_json, state_badge, with_fee
from payments.models import GatewayEvent, Payment, PaymentStatus

SECRET_NAMES = ("secret", "key", "token", "signature", "password", "authorization")


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin[Payment]):
    list_display = (
        "reference",
        "customer_name",
        "paid_for",
        "state",
        "paid_in_all",
        "for_shop",
        "made",
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
                    "to_pay",
                    "customer_paid",
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
        "to_pay",
        "customer_paid",
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

    @admin.display(description="for", ordering="order")
    def paid_for(self, row: Payment) -> SafeString | str:
        return link_to(row.order) if row.order else row.get_purpose_display().capitalize()

    @admin.display(description="order", ordering="order")
    def invoice(self, row: Payment) -> SafeString | str:
        return link_to(row.order)

    @admin.display(description="status", ordering="status")
    def state(self, row: Payment) -> SafeString:
        return state_badge(row.status, row.get_status_display())

    @admin.display(description="for the shop", ordering="amount")
    def for_shop(self, row: Payment) -> str:
        """What came without the fee; before that, what was asked."""
        return money(row.amount if row.received_amount is None else row.received_amount)

    @admin.display(description="asked of the customer")
    def to_pay(self, row: Payment) -> str:
        return with_fee(row.amount, row.fee)

    @admin.display(description="customer paid")
    def customer_paid(self, row: Payment) -> str:
        """The fee is the gateway's; it is only known for what was asked."""
        if row.status != PaymentStatus.COMPLETED:
            return NOTHING
        if row.received_amount != row.amount:
            return f"{money(row.received_amount)} before the fee"
        return with_fee(row.amount, row.fee)

    @admin.display(description="customer paid")
    def paid_in_all(self, row: Payment) -> str:
        return self.customer_paid(row).split(" ")[0]

    @admin.display(description="received for the shop", ordering="received_amount")
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
