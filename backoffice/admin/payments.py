"""Payments, what the gateway told, and the cases that came of it."""

from django.contrib import admin

from backoffice.admin.base import ReadOnlyAdmin
from payments.models import Case, GatewayEvent, Payment


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin[Payment]):
    list_display = (
        "reference",
        "customer",
        "order",
        "purpose",
        "status",
        "amount",
        "fee",
        "received_amount",
        "created_at",
        "completed_at",
    )
    list_filter = ("status", "purpose", "gateway", "created_at")
    list_select_related = ("customer", "order")
    search_fields = ("reference", "txn_id", "order__invoice_id", "=customer__id")
    ordering = ("-pk",)


@admin.register(GatewayEvent)
class GatewayEventAdmin(ReadOnlyAdmin[GatewayEvent]):
    list_display = ("txn_id", "order_id", "status", "received_at", "handled_at", "error")
    list_filter = ("status", "gateway", ("handled_at", admin.EmptyFieldListFilter))
    search_fields = ("txn_id", "order_id")
    ordering = ("-pk",)


@admin.register(Case)
class CaseAdmin(ReadOnlyAdmin[Case]):
    list_display = ("__str__", "kind", "order", "payment", "opened_at", "closed_at")
    list_filter = ("kind", ("closed_at", admin.EmptyFieldListFilter))
    list_select_related = ("order", "payment")
    search_fields = ("key", "order__invoice_id", "payment__reference")
    ordering = ("-pk",)
