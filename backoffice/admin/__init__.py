"""Every ModelAdmin; Django's autodiscovery imports this package."""

from backoffice.admin import catalog, customers, orders, payments, records, staff

__all__ = ["catalog", "customers", "orders", "payments", "records", "staff"]
