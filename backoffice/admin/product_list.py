"""The list of products: price, stock and sales of each, in a bounded number of queries."""
# ruff: noqa: ARG002 (the signatures are Django's)

from typing import Any

from django.contrib import admin
from django.db.models import Exists, IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.admin.base import ServiceAdmin
from backoffice.admin.categories import discount_text
from backoffice.display import badge, money
from catalog.models import Product, ProductPhoto
from catalog.selectors import count_stock
from catalog.services.pricing import price_for
from orders.models import OrderItem, OrderStatus


class OnSaleFilter(admin.SimpleListFilter):
    title = "on sale"
    parameter_name = "sale"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("on", "On sale"), ("hidden", "Hidden"), ("off", "Off sale")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        if self.value() == "on":
            return queryset.filter(deleted_at=None, is_active=True)
        if self.value() == "hidden":
            return queryset.filter(deleted_at=None, is_active=False)
        return queryset.filter(deleted_at__isnull=False) if self.value() == "off" else queryset


class ProductColumns(ServiceAdmin[Product]):
    list_display = (
        "number",
        "product",
        "category",
        "price",
        "reseller",
        "discount",
        "stock",
        "sold",
        "shown",
    )
    list_display_links = ("number", "product")
    list_filter = (OnSaleFilter, "kind", "category")
    list_select_related = ("category",)
    search_fields = ("=number", "name")
    search_help_text = "Search by number or name"
    ordering = ("number",)
    empty_text = "Add the first product, give it stock, and it can be bought in the chat at once."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        rows = super().get_queryset(request)
        if not getattr(request.resolver_match, "url_name", "").endswith("_changelist"):
            return rows
        paid = OrderItem.objects.filter(
            product=OuterRef("pk"), order__status=OrderStatus.PAID
        ).order_by()
        units = paid.values("product").annotate(units=Sum("quantity")).values("units")
        return rows.annotate(
            _sold=Coalesce(Subquery(units, output_field=IntegerField()), 0),
            _has_photo=Exists(ProductPhoto.objects.filter(product=OuterRef("pk"))),
        )

    def prepare_rows(self, rows: list[Product]) -> None:
        counts = count_stock([row.pk for row in rows])
        for row in rows:
            vars(row)["_stock"] = counts.get(row.pk, 0)

    @admin.display(ordering="name")
    def product(self, row: Product) -> SafeString:
        image = SafeString('<span class="qc-thumb"></span>')
        if vars(row).get("_has_photo"):
            address = reverse("admin:catalog_product_photo", args=[row.pk])
            image = format_html(
                '<img class="qc-thumb" loading="lazy" alt="" src="{}">',
                address,
            )
        return format_html('<span class="qc-product">{}<span>{}</span></span>', image, row.name)

    @admin.display(ordering="customer_price", description="price")
    def price(self, row: Product) -> SafeString | str:
        price = price_for(product=row, is_reseller=False)
        if not price.is_reduced:
            return money(price.unit)
        return format_html(
            '<s class="qc-old">{}</s> {}', money(price.list_price), money(price.unit)
        )

    @admin.display(ordering="reseller_price", description="resellers")
    def reseller(self, row: Product) -> str:
        return money(row.reseller_price)

    @admin.display(description="discount")
    def discount(self, row: Product) -> str:
        return discount_text(row)

    @admin.display(description="stock")
    def stock(self, row: Product) -> SafeString | str:
        """How many can be bought now; ∞ for shared and file goods without a quota."""
        left = vars(row)["_stock"]
        if left == 0:
            return badge("Sold out", "bad")
        if left is None:
            return "∞"
        return badge(f"{left} left", "wait") if left <= row.low_stock_threshold else str(left)

    @admin.display(ordering="_sold", description="sold")
    def sold(self, row: Product) -> int:
        return int(vars(row)["_sold"])

    @admin.display(description="on sale", ordering="is_active")
    def shown(self, row: Product) -> SafeString:
        return sale_badge(row)


def sale_badge(product: Product) -> SafeString:
    if product.deleted_at is not None:
        return badge("Off sale", "quiet")
    return badge("On sale", "good") if product.is_active else badge("Hidden", "wait")
