"""Every ModelAdmin; Django's autodiscovery imports this package."""

from backoffice.admin import (
    categories,
    customers,
    orders,
    payments,
    products,
    records,
    staff,
    stock,
    vouchers,
)

__all__ = [
    "categories",
    "customers",
    "orders",
    "payments",
    "products",
    "records",
    "staff",
    "stock",
    "vouchers",
]
