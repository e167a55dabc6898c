"""Every ModelAdmin; Django's autodiscovery imports this package."""

from backoffice.admin import (
    cases,
    categories,
    customers,
    orders,
    outbox,
    payments,
    products,
    records,
    refunds,
    reports,
    staff,
    staff_chats,
    stock,
    vouchers,
)

__all__ = [
    "cases",
    "categories",
    "customers",
    "orders",
    "outbox",
    "payments",
    "products",
    "records",
    "refunds",
    "reports",
    "staff",
    "staff_chats",
    "stock",
    "vouchers",
]
