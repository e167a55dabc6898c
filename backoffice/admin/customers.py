"""Customers and their ledger. Money and roles change through services only."""
# ruff: noqa: ARG002 (the signatures are Django's)

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Count, Sum
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from accounts.models import Customer, LedgerEntry
from accounts.services.renaming import rename_customer
from backoffice.admin.acted import ActedAdmin, actor_column
from backoffice.admin.base import ServiceAdmin, filtered_by, time_column
from backoffice.admin.customer_balance import BalanceButtons
from backoffice.display import NOTHING, badge, link_to, moment, money, state_badge
from backoffice.panels import Panel, Timeline
from backoffice.staff import signed
from orders.models import Order
from payments.models import Payment

SHOWN = 10


@admin.register(Customer)
class CustomerAdmin(BalanceButtons, ServiceAdmin[Customer]):
    list_display = ("name", "id", "at_name", "status", "balance", "orders_paid", "spent", "since")
    list_display_links = ("name", "id")
    list_filter = (
        "is_reseller",
        "is_admin",
        "is_banned",
        ("blocked_bot_at", admin.EmptyFieldListFilter),
        "created_at",
    )
    search_fields = ("=id", "name", "username", "email", "=bank_id")
    search_help_text = "Search by name, @username, e-mail, Telegram id or bank id"
    ordering = ("-created_at",)
    empty_text = "Who writes to the bot for the first time becomes a customer."
    fieldsets = (
        (None, {"fields": ("name", "status", "balance", "since")}),
        (
            "How to reach them",
            {"fields": ("id", "at_name", "email", "whatsapp_number", "speaks", "blocked")},
        ),
        ("Bank", {"fields": ("bank_id",)}),
    )
    readonly_fields = (
        "id",
        "status",
        "balance",
        "since",
        "at_name",
        "email",
        "whatsapp_number",
        "speaks",
        "blocked",
        "bank_id",
    )

    since = time_column("created_at", "customer since")
    blocked = time_column("blocked_bot_at", "blocked the bot")

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """What was bought is for those who may see orders."""
        if request.user.has_perm("orders.view_order"):
            return self.list_display
        return tuple(n for n in self.list_display if n not in {"orders_paid", "spent"})

    def prepare_rows(self, rows: list[Customer]) -> None:
        paid = Order.objects.paid().filter(customer__in=rows).order_by().values_list("customer")
        counted = {
            pk: (orders, spent)
            for pk, orders, spent in paid.annotate(Count("pk"), Sum("total_bill"))
        }
        for row in rows:
            vars(row)["_paid"] = counted.get(row.pk, (0, Decimal(0)))

    @admin.display(description="username", ordering="username")
    def at_name(self, row: Customer) -> str:
        return f"@{row.username}" if row.username else NOTHING

    @admin.display(description="status")
    def status(self, row: Customer) -> SafeString:
        return customer_badges(row)

    @admin.display(description="balance", ordering="account_balance")
    def balance(self, row: Customer) -> str:
        return money(row.account_balance)

    @admin.display(description="paid orders")
    def orders_paid(self, row: Customer) -> int:
        return int(vars(row)["_paid"][0])

    @admin.display(description="spent")
    def spent(self, row: Customer) -> str:
        return money(vars(row)["_paid"][1])

    @admin.display(description="language")
    def speaks(self, row: Customer) -> str:
        return row.language or f"{row.telegram_language or NOTHING} (Telegram's)"

    def panels(self, request: HttpRequest, row: Customer) -> list[Panel | Timeline]:
        return [_orders(row), _ledger(row), _payments(row)]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def update_row(self, request: HttpRequest, row: Customer, changes: dict[str, Any]) -> None:
        if "name" in changes:
            rename_customer(customer_id=row.pk, name=changes["name"], **signed(request))


def customer_badges(customer: Customer) -> SafeString:
    tones = {"admin": "info", "reseller": "good", "customer": "quiet"}
    status = customer.member_status
    shown = [badge(status.capitalize(), tones[status])]
    if customer.is_banned:
        shown.append(badge("Banned", "bad"))
    if customer.blocked_bot_at:
        shown.append(badge("Blocked the bot", "wait"))
    return format_html_join(" ", "{}", ((each,) for each in shown))


def _orders(customer: Customer) -> Panel:
    orders = customer.orders.prefetch_related("items").order_by("-pk")[:SHOWN]
    return Panel(
        title="Latest orders",
        permission="orders.view_order",
        headers=("Invoice", "Bought", "Total", "Status", "Placed"),
        rows=[
            (
                link_to(order),
                ", ".join(str(item) for item in order.items.all()),
                money(order.total_bill),
                state_badge(order.status, order.get_status_display()),
                moment(order.placed_at),
            )
            for order in orders
        ],
        empty="No orders yet.",
        more_url=filtered_by(Order, customer__id__exact=customer.pk),
    )


def _ledger(customer: Customer) -> Panel:
    entries = customer.ledger.order_by("-pk")[:SHOWN]
    return Panel(
        title="Balance movements",
        permission="accounts.view_ledgerentry",
        headers=("Kind", "Amount", "Balance after", "Reference", "When"),
        rows=[
            (
                link_to(entry, entry.get_kind_display()),
                money(entry.amount),
                money(entry.balance_after),
                entry.reference or NOTHING,
                moment(entry.created_at),
            )
            for entry in entries
        ],
        empty="The balance has never moved.",
        more_url=filtered_by(LedgerEntry, customer__id__exact=customer.pk),
    )


def _payments(customer: Customer) -> Panel:
    payments = customer.payments.select_related("order").order_by("-pk")[:SHOWN]
    return Panel(
        title="Latest payments",
        permission="payments.view_payment",
        headers=("Reference", "For", "Status", "Amount", "Made"),
        rows=[
            (
                link_to(payment),
                link_to(payment.order) if payment.order else "deposit",
                state_badge(payment.status, payment.get_status_display()),
                money(payment.amount),
                moment(payment.created_at),
            )
            for payment in payments
        ],
        empty="No gateway payments yet.",
        more_url=filtered_by(Payment, customer__id__exact=customer.pk),
    )


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ActedAdmin[LedgerEntry]):
    list_display = (
        "customer_name",
        "kind",
        "moved",
        "after",
        "reference",
        "by",
        "created",
    )
    list_display_links = ("kind",)
    list_filter = ("kind", "created_at")
    list_select_related = ("customer",)
    search_fields = ("=customer__id", "customer__name", "reference", "=idempotency_key")
    search_help_text = "Search by customer or reference"
    ordering = ("-pk",)
    fields = ("customer_name", "kind", "moved", "after", "reference", "by", "created")
    readonly_fields = ("customer_name", "moved", "after", "by", "created")

    by = actor_column("actor", "actor")
    created = time_column("created_at", "when")
    empty_text = "Deposits, purchases from the balance and refunds are listed here."

    def row_title(self, row: LedgerEntry) -> str:
        return f"{row.get_kind_display()} of {money(row.amount)}"

    @admin.display(description="customer", ordering="customer__name")
    def customer_name(self, row: LedgerEntry) -> SafeString | str:
        return link_to(row.customer, row.customer.name)

    @admin.display(description="amount", ordering="amount")
    def moved(self, row: LedgerEntry) -> SafeString:
        sign = "+" if row.amount > 0 else ""
        return badge(f"{sign}{money(row.amount)}", "good" if row.amount > 0 else "quiet")

    @admin.display(description="balance after", ordering="balance_after")
    def after(self, row: LedgerEntry) -> str:
        return money(row.balance_after)
