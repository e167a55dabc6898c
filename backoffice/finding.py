"""One box that finds what staff hold in their hands: an invoice, a payment, a short id, a name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from accounts.models import Customer
from backoffice.admin.customers import customer_badges
from backoffice.admin.stock import SECRET, item_badge
from backoffice.display import link_to, moment, money, state_badge
from backoffice.panels import Panel
from catalog.models import Product, StockItem
from core.ids import parse_short_stock_id
from orders.models import Order, Voucher
from payments.models import Payment

MOST = 8
LONGEST_ID = 18
"""Digits; more of them fit no key of the database."""


@dataclass(frozen=True)
class Kind:
    """What may be found: `look` returns the rows for words, `show` the cells of one."""

    title: str
    permission: str
    headers: tuple[str, ...]
    look: Callable[[str], QuerySet[Any]]
    show: Callable[[Any], tuple[Any, ...]]


def find_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Lead straight to the only row that is found, or list what fits."""
    asked = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:120]
    found = [(kind, rows) for kind, rows in _search(request, asked) if rows]
    rows = [row for _kind, rows in found for row in rows]
    if len(rows) == 1:
        return HttpResponseRedirect(_address(rows[0]))
    panels = [
        Panel(title=kind.title, headers=kind.headers, rows=[kind.show(row) for row in rows])
        for kind, rows in found
    ]
    context |= {"title": "Find", "asked": asked, "panels": panels}
    return render(request, "backoffice/find.html", context)


def _search(request: HttpRequest, asked: str) -> Iterator[tuple[Kind, list[Model]]]:
    """Yield what fits, of the kinds that this member of staff may see."""
    for kind in KINDS:
        if asked and request.user.has_perm(kind.permission):
            yield kind, list(kind.look(asked)[:MOST])


def _orders(asked: str) -> QuerySet[Order]:
    rows = Order.objects.select_related("customer").order_by("-pk")
    return rows.filter(invoice_id__startswith=asked.upper()) if len(asked) > 2 else rows.none()


def _payments(asked: str) -> QuerySet[Payment]:
    exact = Q(reference=asked) | Q(reference=asked.upper()) | Q(txn_id=asked)
    return Payment.objects.filter(exact).select_related("customer").order_by("-pk")


def _customers(asked: str) -> QuerySet[Customer]:
    name = asked.removeprefix("@")
    words = Q(name__icontains=name) | Q(username__icontains=name) | Q(email__iexact=name)
    if _is_number(asked):
        words |= Q(pk=int(asked)) | Q(bank_id=asked)
    return Customer.objects.filter(words).order_by("name", "pk")


def _products(asked: str) -> QuerySet[Product]:
    words = Q(name__icontains=asked)
    if _is_number(asked) and int(asked) < 2**31:
        words |= Q(number=int(asked))
    return Product.objects.filter(words).order_by("number")


def _items(asked: str) -> QuerySet[StockItem]:
    rows = StockItem.objects.select_related("product").defer(*SECRET)
    try:
        return rows.filter(pk=parse_short_stock_id(asked))
    except ValueError:
        return rows.none()


def _vouchers(asked: str) -> QuerySet[Voucher]:
    return Voucher.objects.filter(code=asked.upper())


def _is_number(asked: str) -> bool:
    return asked.isascii() and asked.isdigit() and len(asked) <= LONGEST_ID


def _address(row: Model) -> str:
    return reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk])


KINDS = (
    Kind(
        "Orders",
        "orders.view_order",
        ("Invoice", "Customer", "Total", "Status", "Placed"),
        _orders,
        lambda order: (
            link_to(order),
            order.customer.name,
            money(order.total_bill),
            state_badge(order.status, order.get_status_display()),
            moment(order.placed_at),
        ),
    ),
    Kind(
        "Payments",
        "payments.view_payment",
        ("Reference", "Customer", "Amount", "Status"),
        _payments,
        lambda payment: (
            link_to(payment),
            payment.customer.name,
            money(payment.amount),
            state_badge(payment.status, payment.get_status_display()),
        ),
    ),
    Kind(
        "Customers",
        "accounts.view_customer",
        ("Name", "Telegram id", "Status", "Balance"),
        _customers,
        lambda customer: (
            link_to(customer, customer.name),
            customer.pk,
            customer_badges(customer),
            money(customer.account_balance),
        ),
    ),
    Kind(
        "Products",
        "catalog.view_product",
        ("Product", "Price"),
        _products,
        lambda product: (link_to(product), money(product.customer_price)),
    ),
    Kind(
        "Stock items",
        "catalog.view_stockitem",
        ("Item", "Product", "State"),
        _items,
        lambda item: (link_to(item), item.product.name, item_badge(item)),
    ),
    Kind(
        "Vouchers",
        "orders.view_voucher",
        ("Code",),
        _vouchers,
        lambda voucher: (link_to(voucher),),
    ),
)
"""In the order in which they are listed."""
