"""Cases: what a person must look at, said in plain words, until somebody has dealt with it."""
# ruff: noqa: ARG002 (the signatures are Django's)

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from audit.models import AuditEntry
from backoffice.admin.base import ReadOnlyAdmin, time_column
from backoffice.case_stories import (
    advice,
    credit_of,
    customer_of,
    difference,
    order_of,
    story,
    title,
)
from backoffice.display import NOTHING, badge, link_to, moment, money
from backoffice.form_pages import FormPage, ask_with_form
from backoffice.forms.cases import CloseCaseForm, HandOverForm
from backoffice.panels import Lead, Panel, Timeline
from backoffice.staff import STAFF, actor_name, signed
from orders.services.fulfilment import goods_message
from payments.models import Case, CaseKind
from payments.services.cases import close_case, is_without_goods

BELONGS = ("order__customer", "payment__customer", "payment__order", "event")


@admin.register(Case)
class CaseAdmin(ReadOnlyAdmin[Case]):
    list_display = ("what", "state", "customer", "invoice", "expected", "received", "opened")
    list_filter = ("kind", ("closed_at", admin.EmptyFieldListFilter))
    list_select_related = BELONGS
    search_fields = ("key", "order__invoice_id", "payment__reference", "resolution")
    search_help_text = "Search by invoice, payment, cause or note"
    ordering = (F("closed_at").desc(nulls_first=True), "-pk")
    empty_text = "Nothing needs a person. Money that fits no order would be listed here."

    opened = time_column("opened_at", "opened")

    def get_fields(self, request: HttpRequest, obj: Case | None = None) -> tuple[str, ...]:
        """Leave out what this case has nothing of."""
        fields: tuple[str, ...] = ("state", "customer", "invoice")
        if obj is not None and obj.payment_id:
            fields += ("reference", "expected", "received")
        if obj is not None and obj.event_id:
            fields += ("event_told",)
        if obj is not None and obj.kind == CaseKind.DELIVERY_FAILED:
            fields += ("message",)
        closing = ("closed", "note") if obj is not None and obj.closed_at else ()
        return (*fields, "opened", *closing)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Case | None = None
    ) -> tuple[str, ...]:
        return self.get_fields(request, obj)

    def row_title(self, row: Case) -> str:
        return title(row)

    def lead(self, request: HttpRequest, row: Case) -> Lead:
        if row.closed_at:
            return Lead(title(row), [*story(row), _closing(row)])
        may_close = self.has_close_permission(request)
        return Lead(
            title(row),
            [*story(row), advice(row)],
            button="Mark as dealt with" if may_close else "",
            url=reverse("admin:payments_case_close", args=[row.pk]),
        )

    def panels(self, request: HttpRequest, row: Case) -> list[Panel | Timeline]:
        entry = credit_of(row.payment) if row.payment else None
        if entry is None:
            return []
        return [
            Panel(
                title="What became of the money",
                permission="accounts.view_ledgerentry",
                headers=("Balance movement", "Amount", "Balance after", "When"),
                rows=[
                    (
                        link_to(entry, entry.get_kind_display()),
                        money(entry.amount),
                        money(entry.balance_after),
                        moment(entry.created_at),
                    )
                ],
            )
        ]

    @admin.display(description="what happened", ordering="kind")
    def what(self, row: Case) -> str:
        return title(row)

    @admin.display(description="status", ordering="closed_at")
    def state(self, row: Case) -> SafeString:
        return badge("Dealt with") if row.closed_at else badge("Open", "bad")

    @admin.display(description="customer")
    def customer(self, row: Case) -> SafeString | str:
        customer = customer_of(row)
        return link_to(customer, customer.name) if customer else NOTHING

    @admin.display(description="order")
    def invoice(self, row: Case) -> SafeString | str:
        return link_to(order_of(row))

    @admin.display(description="payment")
    def reference(self, row: Case) -> SafeString | str:
        return link_to(row.payment)

    @admin.display(description="asked for")
    def expected(self, row: Case) -> str:
        return money(row.payment.amount) if row.payment else NOTHING

    @admin.display(description="received")
    def received(self, row: Case) -> str:
        if row.payment is None:
            return NOTHING
        how = difference(row.payment)
        return f"{money(row.payment.received_amount)}{f', {how}' if how else ''}"

    @admin.display(description="gateway event")
    def event_told(self, row: Case) -> SafeString | str:
        return link_to(row.event)

    @admin.display(description="message")
    def message(self, row: Case) -> SafeString | str:
        return link_to(goods_message(row.order_id or 0).first(), "With the goods, in the outbox")

    @admin.display(description="dealt with")
    def closed(self, row: Case) -> str:
        return _closing(row)

    @admin.display(description="note")
    def note(self, row: Case) -> str:
        return row.resolution or NOTHING

    def has_close_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.change_case")

    def get_urls(self) -> list[URLPattern]:
        close = path(
            "<int:case_id>/close/",
            self.admin_site.admin_view(self.close_view),
            name="payments_case_close",
        )
        return [close, *super().get_urls()]

    def close_view(self, request: HttpRequest, case_id: int) -> HttpResponse:
        if not self.has_close_permission(request):
            raise PermissionDenied
        case = get_object_or_404(Case.objects.select_related(*BELONGS), pk=case_id)
        back = reverse("admin:payments_case_change", args=[case_id])
        if case.closed_at is not None:
            messages.info(request, "This case was dealt with already.")
            return HttpResponseRedirect(back)

        def do(form: CloseCaseForm) -> str:
            note, handed_over = form.cleaned_data["note"], form.cleaned_data.get("handed_over")
            close_case(
                case_id=case_id, resolution=note, handed_over=bool(handed_over), **signed(request)
            )
            return "Dealt with. Your note is kept with the case."

        asked = HandOverForm if is_without_goods(case) else CloseCaseForm
        page = FormPage(
            title="Mark as dealt with",
            sentences=[f"{title(case)}.", *story(case), advice(case)],
            button="Mark as dealt with",
            do=do,
            back=back,
        )
        return ask_with_form(self, request, case, asked(request.POST or None), page)


def _closing(case: Case) -> str:
    """Say when it was dealt with and, from the audit trail, by whom."""
    written = AuditEntry.objects.filter(target=f"case:{case.pk}", action="close_case")
    actor = written.values_list("actor", flat=True).first()
    if actor == "system":
        return f"Ended by itself on {moment(case.closed_at)}."
    by = f" by {actor_name(actor).removeprefix(STAFF)}" if actor else ""
    return f"Dealt with on {moment(case.closed_at)}{by}."
