"""Orders with all that belongs to them. They change through services only."""
# ruff: noqa: ARG002 (the signatures are Django's)

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from backoffice.admin.base import ReadOnlyAdmin, button, time_column
from backoffice.admin.order_panels import order_panels
from backoffice.display import NOTHING, badge, link_to, money, state_badge, with_fee
from backoffice.finding import find_page
from backoffice.form_pages import FormPage, ask_with_form
from backoffice.forms.money import MarkPaidForm
from backoffice.panels import Lead, Panel, Timeline
from backoffice.refund_page import refund_page
from backoffice.refusals import sentence
from backoffice.staff import signed
from orders.errors import OrderNotPending
from orders.models import Order, OrderStatus, Refund
from orders.services.refund_quotes import has_units_left
from payments.services.manual import MarkedPaid, mark_paid_by_hand

WITH_REFUNDS = Prefetch("refunds", Refund.objects.select_related("order_item").order_by("pk"))


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin[Order]):
    list_display = (
        "invoice",
        "customer_name",
        "bought",
        "state",
        "paid_by",
        "total",
        "placed",
    )
    list_display_links = ("invoice",)
    list_filter = ("status", "payment_method", "placed_at")
    list_select_related = ("customer",)
    search_fields = ("invoice_id", "=customer__id", "customer__name", "customer__username")
    search_help_text = "Search by invoice or customer"
    ordering = ("-pk",)
    empty_text = "Customers order in the chat; each order is here at once."
    readonly_fields = (
        "invoice",
        "customer_name",
        "state",
        "paid_by",
        "subtotal_shown",
        "discount_shown",
        "total",
        "customer_paid",
    )
    fieldsets = ((None, {"fields": readonly_fields}),)
    actions_detail = ("mark_paid",)

    placed = time_column("placed_at", "placed")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        rows = super().get_queryset(request).prefetch_related(WITH_REFUNDS)
        name = getattr(request.resolver_match, "url_name", "")
        return rows.prefetch_related("items") if name.endswith("_changelist") else rows

    def get_urls(self) -> list[URLPattern]:
        find = path("find/", self.admin_site.admin_view(self.find_view), name="backoffice_find")
        refund = path(
            "<int:order_id>/refund/",
            self.admin_site.admin_view(self.refund_view),
            name="orders_order_refund",
        )
        return [find, refund, *super().get_urls()]

    def lead(self, request: HttpRequest, row: Order) -> Lead | None:
        if not self.has_refund_permission(request) or not has_units_left(order=row):
            return None
        return Lead(button="Refund", url=reverse("admin:orders_order_refund", args=[row.pk]))

    def has_refund_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("orders.add_refund")

    def refund_view(self, request: HttpRequest, order_id: int) -> HttpResponse:
        if not self.has_refund_permission(request):
            raise PermissionDenied
        order = get_object_or_404(Order.objects.select_related("customer"), pk=order_id)
        return refund_page(request, self, order)

    def find_view(self, request: HttpRequest) -> HttpResponse:
        return find_page(request, self.admin_site.each_context(request))

    @admin.display(description="invoice", ordering="invoice_id")
    def invoice(self, row: Order) -> str:
        return row.invoice_id

    @admin.display(description="customer", ordering="customer__name")
    def customer_name(self, row: Order) -> SafeString | str:
        return link_to(row.customer, row.customer.name)

    @admin.display(description="bought")
    def bought(self, row: Order) -> str:
        return ", ".join(f"{item.quantity} × {item.product_name}" for item in row.items.all())

    @admin.display(description="status", ordering="status")
    def state(self, row: Order) -> SafeString:
        """What the shop still owes stands out: paid, but not in the customer's chat yet."""
        if row.status == OrderStatus.PAID and row.delivered_at is None:
            if row.refunds.all():
                return badge("Refunded, not delivered")
            return badge("Paid, being delivered", "wait")
        return state_badge(row.status, row.get_status_display())

    @admin.display(description="paid by", ordering="payment_method")
    def paid_by(self, row: Order) -> str:
        method = row.get_payment_method_display()
        return method[:1].upper() + method[1:]

    @admin.display(description="total", ordering="total_bill")
    def total(self, row: Order) -> str:
        return money(row.total_bill)

    @admin.display(description="subtotal")
    def subtotal_shown(self, row: Order) -> str:
        return money(row.subtotal)

    @admin.display(description="voucher discount")
    def discount_shown(self, row: Order) -> str:
        return money(row.voucher_discount)

    @admin.display(description="customer paid")
    def customer_paid(self, row: Order) -> str:
        if row.status != OrderStatus.PAID:
            return NOTHING
        return with_fee(row.total_bill, row.payment_fee)

    def panels(self, request: HttpRequest, row: Order) -> list[Panel | Timeline]:
        return order_panels(row)

    def has_mark_paid_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("payments.add_payment")

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        """Offer to mark it paid while it is not."""
        is_paid = Order.objects.paid().filter(pk=object_id).exists()
        return [] if is_paid else super().get_actions_detail(request, object_id)

    @button(
        description="Mark as paid", url_path="mark-paid", icon="paid", permissions=["mark_paid"]
    )
    def mark_paid(self, request: HttpRequest, object_id: int) -> HttpResponse:
        order = get_object_or_404(Order, pk=object_id)
        back = reverse("admin:orders_order_change", args=[order.pk])
        if order.status == OrderStatus.PAID:
            messages.info(request, sentence(OrderNotPending(order)))
            return HttpResponseRedirect(back)

        def do(form: MarkPaidForm) -> str:
            given = form.cleaned_data
            return _marked(mark_paid_by_hand(order_id=order.pk, **given, **signed(request)))

        by_hand = f"Otherwise a payment of {money(order.total_bill)} is recorded by hand,"
        page = FormPage(
            title=f"Mark order {order} as paid?",
            sentences=(
                "The gateway is asked first: what was paid there is settled as ever.",
                f"{by_hand} the goods go out at once and the customer's QR code is closed.",
            ),
            button="Mark as paid",
            do=do,
            back=back,
        )
        return ask_with_form(self, request, order, MarkPaidForm(request.POST or None), page)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], Any]:
        """Find an invoice at once when all of it is typed or pasted."""
        exact = queryset.filter(invoice_id=search_term.strip().upper()[:24])
        if search_term.strip().upper().startswith("TRX") and exact.exists():
            return exact, False
        return super().get_search_results(request, queryset, search_term)


def _marked(marked: MarkedPaid) -> str:
    if marked.payment is not None:
        return f"Order {marked.order} is paid, recorded by hand. The goods are on their way."
    if marked.order.status == OrderStatus.PAID:
        return f"The gateway reports that {marked.order} was paid: it was settled as ever."
    return (
        f"The gateway reports money for {marked.order}, which could not pay it any more: it is on"
        " the customer's balance. Nothing was recorded by hand."
    )
