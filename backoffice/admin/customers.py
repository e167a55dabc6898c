"""Customers and their ledger. Money and roles change through services only."""
# ruff: noqa: ARG002 (the signatures are Django's)

from django.contrib import admin
from django.http import HttpRequest

from accounts.models import Customer, LedgerEntry
from backoffice.admin.base import KeptAdmin, ReadOnlyAdmin

EDITABLE = frozenset({"name"})


@admin.register(Customer)
class CustomerAdmin(KeptAdmin[Customer]):
    list_display = (
        "id",
        "name",
        "username",
        "account_balance",
        "member_status",
        "is_banned",
        "created_at",
    )
    list_display_links = ("id", "name")
    list_filter = (
        "is_reseller",
        "is_admin",
        "is_banned",
        ("blocked_bot_at", admin.EmptyFieldListFilter),
        "created_at",
    )
    search_fields = ("=id", "name", "username", "email", "=bank_id")
    ordering = ("-created_at",)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Customer | None = None
    ) -> tuple[str, ...]:
        names = (field.name for field in Customer._meta.concrete_fields)
        return tuple(name for name in names if name not in EDITABLE)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin[LedgerEntry]):
    list_display = (
        "id",
        "customer",
        "amount",
        "balance_after",
        "kind",
        "reference",
        "actor",
        "created_at",
    )
    list_filter = ("kind", "created_at")
    list_select_related = ("customer",)
    search_fields = ("=customer__id", "customer__name", "reference", "=idempotency_key")
    ordering = ("-pk",)
