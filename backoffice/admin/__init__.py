"""Every ModelAdmin; Django's autodiscovery imports this package."""

from backoffice.admin import (
    cases,
    categories,
    customers,
    orders,
    payments,
    products,
    records,
    refunds,
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
    "payments",
    "products",
    "records",
    "refunds",
    "staff",
    "staff_chats",
    "stock",
    "vouchers",
]
