"""Orders with all that belongs to them. They change through services only."""
# ruff: noqa: ARG002 (the signatures are Django's)

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from backoffice.admin.base import ReadOnlyAdmin, time_column
from backoffice.admin.order_panels import order_panels
from backoffice.display import link_to, money, state_badge
from backoffice.panels import Panel, Timeline
from orders.models import Order


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin[Order]):
    list_display = (
        "invoice_id",
        "customer_name",
        "bought",
        "state",
        "payment_method",
        "total",
        "placed",
        "delivered",
    )
    list_filter = ("status", "payment_method", "placed_at")
    list_select_related = ("customer",)
    search_fields = ("invoice_id", "=customer__id", "customer__name", "customer__username")
    search_help_text = "Search by invoice or customer"
    ordering = ("-pk",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "invoice_id",
                    "customer_name",
                    "state",
                    "payment_method",
                    "subtotal_shown",
                    "discount_shown",
                    "total",
                    "fee",
                )
            },
        ),
    )
    readonly_fields = (
        "customer_name",
        "state",
        "subtotal_shown",
        "discount_shown",
        "total",
        "fee",
    )

    placed = time_column("placed_at", "placed")
    delivered = time_column("delivered_at", "delivered")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        rows = super().get_queryset(request)
        name = getattr(request.resolver_match, "url_name", "")
        return rows.prefetch_related("items") if name.endswith("_changelist") else rows

    @admin.display(description="customer", ordering="customer__name")
    def customer_name(self, row: Order) -> SafeString | str:
        return link_to(row.customer, row.customer.name)

    @admin.display(description="bought")
    def bought(self, row: Order) -> str:
        return ", ".join(f"{item.quantity} × {item.product_name}" for item in row.items.all())

    @admin.display(description="status", ordering="status")
    def state(self, row: Order) -> SafeString:
        return state_badge(row.status, row.get_status_display())

    @admin.display(description="total", ordering="total_bill")
    def total(self, row: Order) -> str:
        return money(row.total_bill)

    @admin.display(description="subtotal")
    def subtotal_shown(self, row: Order) -> str:
        return money(row.subtotal)

    @admin.display(description="voucher discount")
    def discount_shown(self, row: Order) -> str:
        return money(row.voucher_discount)

    @admin.display(description="gateway's fee")
    def fee(self, row: Order) -> str:
        return f"{money(row.payment_fee)}, paid on top" if row.payment_fee else money(0)

    def panels(self, request: HttpRequest, row: Order) -> list[Panel | Timeline]:
        return order_panels(row)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], Any]:
        """Find an invoice at once when all of it is typed or pasted."""
        exact = queryset.filter(invoice_id=search_term.strip().upper()[:24])
        if search_term.strip().upper().startswith("TRX") and exact.exists():
            return exact, False
        return super().get_search_results(request, queryset, search_term)
