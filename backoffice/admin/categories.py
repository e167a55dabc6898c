"""Categories and their discounts."""
# ruff: noqa: ARG002 (the signatures are Django's)

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from backoffice.admin.base import ServiceAdmin, filtered_by
from backoffice.display import link_to, money
from backoffice.forms.rows import CategoryForm
from backoffice.panels import Panel, Timeline
from backoffice.refusals import sentence
from backoffice.staff import signed
from catalog.errors import CategoryInUse
from catalog.models import Category, Product
from catalog.services.categories import create_category, delete_category, update_category


def discount_text(row: Category | Product) -> str:
    if row.discount_percent is not None:
        return f"−{row.discount_percent.normalize():f} %"
    return f"−{money(row.discount_amount)}" if row.discount_amount is not None else "–"


@admin.register(Category)
class CategoryAdmin(ServiceAdmin[Category]):
    form = CategoryForm
    list_display = ("name", "products", "discount")
    search_fields = ("name",)
    search_help_text = "Search by name"
    ordering = ("name",)
    empty_text = "Products without a category are shown in the chat as “Tanpa Kategori”."
    fieldsets = (
        (None, {"fields": ("name",)}),
        (
            "Discount",
            {
                "fields": ("discount_percent", "discount_amount"),
                "description": "For every product of the category that has no discount of its own."
                " Give a percentage or an amount, or leave both empty.",
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        existing = Q(products__deleted_at=None)
        return super().get_queryset(request).annotate(_products=Count("products", filter=existing))

    @admin.display(ordering="_products")
    def products(self, category: Category) -> int:
        return int(getattr(category, "_products"))  # noqa: B009 (an annotation)

    @admin.display(description="discount")
    def discount(self, category: Category) -> str:
        return discount_text(category)

    def panels(self, request: HttpRequest, row: Category) -> list[Panel | Timeline]:
        rows = row.products.existing().order_by("number")[:50]
        return [
            Panel(
                title="Products",
                permission="catalog.view_product",
                headers=("Number", "Name", "Price"),
                rows=[(p.number, link_to(p, p.name), money(p.customer_price)) for p in rows],
                empty="No products yet.",
                more_url=filtered_by(Product, category__id__exact=row.pk),
            )
        ]

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Category:
        return create_category(**values, **signed(request))

    def update_row(self, request: HttpRequest, row: Category, changes: dict[str, Any]) -> None:
        update_category(category_id=row.pk, changes=changes, **signed(request))

    def has_delete_permission(self, request: HttpRequest, obj: Category | None = None) -> bool:
        return request.user.has_perm("catalog.delete_category")

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except CategoryInUse as refusal:
            messages.error(request, sentence(refusal))
            return HttpResponseRedirect(reverse("admin:catalog_category_change", args=[object_id]))

    def delete_model(self, request: HttpRequest, obj: Category) -> None:
        delete_category(category_id=obj.pk, **signed(request))
