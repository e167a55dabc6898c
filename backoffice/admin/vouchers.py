"""Vouchers."""
# ruff: noqa: ARG002 (the signatures are Django's)

from typing import Any

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from backoffice.admin.base import ServiceAdmin, time_column
from backoffice.display import badge, link_to, money, state_badge
from backoffice.forms.rows import VoucherForm
from backoffice.panels import Panel, Timeline
from backoffice.staff import signed
from orders.models import Voucher, VoucherUse, VoucherUseState
from orders.services.voucher_editing import create_voucher, update_voucher


@admin.register(Voucher)
class VoucherAdmin(ServiceAdmin[Voucher]):
    form = VoucherForm
    list_display = ("code", "takes_off", "minimum", "used", "until", "state")
    list_filter = ("is_active", "valid_until")
    search_fields = ("code",)
    search_help_text = "Search by code"
    ordering = ("-pk",)
    empty_text = "A voucher takes an amount or a percentage off an order."
    fieldsets = (
        (
            "What it takes off",
            {
                "fields": ("code", "amount", "percent", "most_discount", "least_subtotal"),
                "description": "Give an amount or a percentage. The code is stored in capitals.",
            },
        ),
        (
            "When and how often",
            {
                "fields": (
                    "valid_from",
                    "valid_until",
                    "total_uses",
                    "uses_per_customer",
                    "is_active",
                )
            },
        ),
    )

    until = time_column("valid_until", "valid until")

    def prepare_rows(self, rows: list[Voucher]) -> None:
        uses = VoucherUse.objects.filter(voucher__in=rows).exclude(state=VoucherUseState.RELEASED)
        counted = dict(uses.order_by().values_list("voucher").annotate(uses=Count("pk")))
        for row in rows:
            vars(row)["_used"] = counted.get(row.pk, 0)

    @admin.display(description="takes off")
    def takes_off(self, row: Voucher) -> str:
        if row.percent is None:
            return money(row.amount)
        most = f", at most {money(row.most_discount)}" if row.most_discount is not None else ""
        return f"{row.percent.normalize():f} %{most}"

    @admin.display(description="from a subtotal of", ordering="least_subtotal")
    def minimum(self, row: Voucher) -> str:
        return money(row.least_subtotal)

    @admin.display(description="used")
    def used(self, row: Voucher) -> str:
        limit = "no limit" if row.total_uses is None else str(row.total_uses)
        return f"{vars(row)['_used']} of {limit}"

    @admin.display(description="status", ordering="is_active")
    def state(self, row: Voucher) -> SafeString:
        now = timezone.now()
        if not row.is_active:
            return badge("Switched off")
        if row.valid_until and row.valid_until <= now:
            return badge("Over")
        if row.valid_from and row.valid_from > now:
            return badge("Not yet", "wait")
        return badge("Valid", "good")

    def panels(self, request: HttpRequest, row: Voucher) -> list[Panel | Timeline]:
        uses = row.uses.select_related("order", "customer").order_by("-pk")[:20]
        return [
            Panel(
                title="Used by",
                permission="orders.view_order",
                headers=("Order", "Customer", "State"),
                rows=[
                    (
                        link_to(use.order),
                        link_to(use.customer, use.customer.name),
                        state_badge(use.state, use.get_state_display()),
                    )
                    for use in uses
                ],
                empty="Nobody has used it yet.",
            )
        ]

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Voucher:
        return create_voucher(fields=values, **signed(request))

    def update_row(self, request: HttpRequest, row: Voucher, changes: dict[str, Any]) -> None:
        update_voucher(voucher_id=row.pk, changes=changes, **signed(request))
