"""The page that turns a quote into a refund."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from backoffice.confirm import page_context
from backoffice.display import money
from backoffice.forms.refunds import RefundForm
from backoffice.refund_words import quote_rows
from backoffice.refusals import sentence
from backoffice.staff import signed
from core.errors import DomainError
from orders.errors import RefundChanged
from orders.models import Order, Refund, RefundKind
from orders.services.refund_quotes import RefundQuote, quote_order, quote_refund
from orders.services.refunds import record_refund_outside, refund_to_balance

if TYPE_CHECKING:
    from backoffice.admin.base import ShopAdmin


def refund_page(request: HttpRequest, model_admin: "ShopAdmin[Any]", order: Order) -> HttpResponse:
    """Show what would be given back and how that came about; give it back when confirmed."""
    form = RefundForm(request.POST) if request.method == "POST" else None
    changed = ""
    try:
        if form is not None and form.is_valid():
            refund = _refund(request, order, form)
            messages.success(request, said(refund))
            return HttpResponseRedirect(_order_url(order))
        quotes, quote = _quotes(request, order, timezone.now())
    except RefundChanged as refusal:
        changed = sentence(refusal)
        form, quote = None, refusal.quote
        quotes = [quote]
    except DomainError as refusal:
        messages.error(request, sentence(refusal))
        return HttpResponseRedirect(_order_url(order))
    form = form or RefundForm(initial=_shown(quote))
    context = page_context(model_admin, request, order) | {
        "title": "Refund",
        "order": order,
        "quotes": quotes,
        "quote": quote,
        "rows": quote_rows(quote),
        "form": form,
        "changed": changed,
        "amount": money(quote.amount),
        "may_choose": len(quotes) > 1 or (quote.is_delivered and quotes[0].units > 1),
        "back": _order_url(order),
    }
    return render(request, "backoffice/refund.html", context)


def _quotes(
    request: HttpRequest, order: Order, now: datetime
) -> tuple[list[RefundQuote], RefundQuote]:
    """Return what is left of each item, and the quote that was asked for in the address."""
    asked = request.POST if request.method == "POST" else request.GET
    quotes = quote_order(order_id=order.pk, now=now)
    by_item = {str(quote.order_item.pk): quote for quote in quotes}
    quote = by_item.get(asked.get("item", ""), quotes[0])
    units = asked.get("units", "")
    if not (units.isascii() and units.isdigit() and 0 < int(units[:9]) < quote.units):
        return quotes, quote
    return quotes, quote_refund(order_item_id=quote.order_item.pk, units=int(units), now=now)


def _shown(quote: RefundQuote) -> dict[str, Any]:
    shown = quote.request
    return {
        "item": shown.order_item_id,
        "first": shown.first_unit,
        "units": shown.units,
        "amount": shown.amount,
        "kind": RefundKind.BALANCE,
    }


def _refund(request: HttpRequest, order: Order, form: RefundForm) -> Refund:
    if not order.items.filter(pk=form.request.order_item_id).exists():
        raise RefundChanged(quote_order(order_id=order.pk, now=timezone.now())[0])
    note = form.cleaned_data["note"]
    if form.cleaned_data["kind"] == RefundKind.OUTSIDE:
        return record_refund_outside(request=form.request, note=note, **signed(request))
    return refund_to_balance(request=form.request, note=note, **signed(request))


def said(refund: Refund) -> str:
    if refund.kind == RefundKind.OUTSIDE:
        return f"{money(refund.amount)} recorded as paid outside the shop."
    return f"{money(refund.amount)} put on the customer's balance. The customer is told."


def _order_url(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])
