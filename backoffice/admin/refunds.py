"""Refunds, which only services make, and the formula that they follow."""
# ruff: noqa: ARG002 (the signatures are Django's)

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.safestring import SafeString

from backoffice.admin.base import KeptAdmin, ReadOnlyAdmin, time_column
from backoffice.display import NOTHING, badge, changelist_url, link_to, money
from backoffice.forms.refunds import FormulaForm
from backoffice.panels import Panel, Timeline
from backoffice.refund_words import plain, preview
from backoffice.staff import signed
from orders.models import Refund, RefundPolicy
from orders.refund_terms import RefundTerms
from orders.services.refund_policies import set_refund_policy
from orders.services.refund_quotes import refund_policy


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin[Refund]):
    list_display = ("invoice", "customer", "goods", "given_back", "how", "by", "made")
    list_filter = ("kind", "created_at")
    list_select_related = ("order__customer", "order_item")
    search_fields = ("order__invoice_id", "=order__customer__id", "order__customer__name", "note")
    search_help_text = "Search by invoice, customer or note"
    ordering = ("-pk",)
    empty_text = "A paid order has a button for it on its page."
    readonly_fields = (
        "invoice",
        "customer",
        "goods",
        "price_shown",
        "days",
        "claims",
        "factor",
        "formula",
        "given_back",
        "how",
        "note_shown",
        "by",
        "made",
    )
    fieldsets = ((None, {"fields": readonly_fields}),)

    made = time_column("created_at", "when")

    def row_title(self, row: Refund) -> str:
        return f"{money(row.amount)} of {row.order.invoice_id}"

    @admin.display(description="order")
    def invoice(self, row: Refund) -> SafeString | str:
        return link_to(row.order)

    @admin.display(description="customer")
    def customer(self, row: Refund) -> SafeString | str:
        return link_to(row.order.customer, row.order.customer.name)

    @admin.display(description="goods")
    def goods(self, row: Refund) -> str:
        return f"{row.units} × {row.order_item.product_name}"

    @admin.display(description="paid for it")
    def price_shown(self, row: Refund) -> str:
        return money(row.price)

    @admin.display(description="days used")
    def days(self, row: Refund) -> str:
        return f"{row.days_used} of {row.period_days}"

    @admin.display(description="multiplier")
    def factor(self, row: Refund) -> str:
        return plain(row.multiplier)

    @admin.display(description="formula")
    def formula(self, row: Refund) -> SafeString | str:
        return link_to(row.policy) if row.policy else "the one the shop comes with"

    @admin.display(description="given back", ordering="amount")
    def given_back(self, row: Refund) -> str:
        return money(row.amount)

    @admin.display(description="how", ordering="kind")
    def how(self, row: Refund) -> str:
        return row.get_kind_display()

    @admin.display(description="note")
    def note_shown(self, row: Refund) -> str:
        return row.note or NOTHING

    @admin.display(description="by", ordering="actor")
    def by(self, row: Refund) -> str:
        return row.actor.removeprefix("staff:")


@admin.register(RefundPolicy)
class RefundPolicyAdmin(KeptAdmin[RefundPolicy]):
    """Versions are added, never changed: the newest is in force."""

    list_display = ("formula", "state", "by", "made")
    search_fields = ("created_by",)
    search_help_text = "Search by who made it"
    ordering = ("-pk",)
    audit_target = "refund_policy"
    row_names = ("refund formula", "refund formulas")
    empty_text = f"The one the shop comes with is in force: {RefundTerms()}"
    fields = readonly_fields = ("formula", "state", "by", "made")

    made = time_column("created_at", "since")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.add_refundpolicy")

    def has_change_permission(self, request: HttpRequest, obj: RefundPolicy | None = None) -> bool:
        return False

    def panels(self, request: HttpRequest, row: RefundPolicy) -> list[Panel | Timeline]:
        return [preview(row.terms)]

    def prepare_rows(self, rows: list[RefundPolicy]) -> None:
        newest, _terms = refund_policy()
        for row in rows:
            vars(row)["_is_newest"] = row == newest

    @admin.display(description="formula")
    def formula(self, row: RefundPolicy) -> str:
        return str(row)

    @admin.display(description="status")
    def state(self, row: RefundPolicy) -> SafeString:
        is_newest = vars(row).get("_is_newest")
        if is_newest is None:
            is_newest = row == refund_policy()[0]
        return badge("In force", "good") if is_newest else badge("Earlier")

    @admin.display(description="by")
    def by(self, row: RefundPolicy) -> str:
        return row.created_by.removeprefix("staff:")

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show what a formula gives back before it is saved."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        _policy, in_force = refund_policy()
        form = FormulaForm(request.POST or None, initial={"formula": str(in_force)})
        is_valid = form.is_valid()
        if is_valid and _is_confirmed(request, form):
            set_refund_policy(terms=form.terms, **signed(request))
            messages.success(request, "The formula counts for every quote from now on.")
            return HttpResponseRedirect(changelist_url(RefundPolicy))
        terms = form.terms if is_valid else in_force
        context = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "title": "Change the refund formula",
            "form": form,
            "in_force": str(in_force),
            "previewed": str(terms) if is_valid else "",
            "panel": preview(terms),
            "back": changelist_url(RefundPolicy),
        }
        return render(request, "backoffice/refund_formula.html", context)


def _is_confirmed(request: HttpRequest, form: FormulaForm) -> bool:
    """Only what the preview showed is saved: what was typed since then is shown first."""
    wants = request.POST.get("action") == "save"
    return wants and request.POST.get("previewed") == str(form.terms)
