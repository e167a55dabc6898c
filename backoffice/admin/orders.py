"""Orders and vouchers."""

from django.contrib import admin

from backoffice.admin.base import ModelAdmin, ReadOnlyAdmin, ReadOnlyInline
from orders.models import Order, OrderItem, Voucher
from payments.models import Payment


class OrderItemInline(ReadOnlyInline[OrderItem, Order]):
    model = OrderItem
    fields = ("product", "product_name", "quantity", "unit_price")
    related = ("product",)


class PaymentInline(ReadOnlyInline[Payment, Order]):
    model = Payment
    fields = (
        "reference",
        "txn_id",
        "amount",
        "fee",
        "received_amount",
        "status",
        "created_at",
        "completed_at",
    )
    show_change_link = True


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin[Order]):
    list_display = (
        "invoice_id",
        "customer",
        "status",
        "payment_method",
        "total_bill",
        "placed_at",
        "paid_at",
        "delivered_at",
    )
    list_filter = ("status", "payment_method", "placed_at")
    list_select_related = ("customer",)
    search_fields = ("invoice_id", "=customer__id", "customer__name", "customer__username")
    ordering = ("-pk",)
    exclude = ("checkout_key",)
    inlines = (OrderItemInline, PaymentInline)


@admin.register(Voucher)
class VoucherAdmin(ModelAdmin[Voucher]):
    list_display = (
        "code",
        "amount",
        "percent",
        "most_discount",
        "least_subtotal",
        "valid_until",
        "total_uses",
        "is_active",
    )
    list_filter = ("is_active", "valid_until")
    search_fields = ("code",)
    ordering = ("-pk",)
