"""Categories, products and their stock. What an item contains is never shown."""
# ruff: noqa: ARG002 (the signatures are Django's)

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from backoffice.admin.base import ModelAdmin, ReadOnlyAdmin
from catalog.models import Category, Product, StockBatch, StockItem
from core.ids import parse_short_stock_id

SECRET = ("content", "fingerprint")


@admin.register(Category)
class CategoryAdmin(ModelAdmin[Category]):
    list_display = ("name", "products", "discount_percent", "discount_amount")
    search_fields = ("name",)
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        existing = Q(products__deleted_at=None)
        return super().get_queryset(request).annotate(_products=Count("products", filter=existing))

    @admin.display(ordering="_products")
    def products(self, category: Category) -> int:
        return int(getattr(category, "_products"))  # noqa: B009 (an annotation)


@admin.register(Product)
class ProductAdmin(ModelAdmin[Product]):
    list_display = (
        "number",
        "name",
        "category",
        "kind",
        "customer_price",
        "reseller_price",
        "available",
        "is_active",
    )
    list_display_links = ("number", "name")
    list_filter = ("is_active", "kind", "category", ("deleted_at", admin.EmptyFieldListFilter))
    list_select_related = ("category",)
    search_fields = ("=number", "name")
    autocomplete_fields = ("category",)
    ordering = ("number",)
    readonly_fields = ("available", "deleted_at", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        # A subquery counts for the rows of this page only, along the index of what is available.
        items = StockItem.objects.available().filter(product=OuterRef("pk")).order_by()
        counted = items.values("product").annotate(items=Count("pk")).values("items")
        rows = super().get_queryset(request)
        return rows.annotate(_available=Coalesce(Subquery(counted), 0))

    @admin.display(ordering="_available", description="in stock")
    def available(self, product: Product) -> int:
        """Items that can be sold; for shared and file goods, whether there is a content."""
        return int(getattr(product, "_available", 0))

    def get_readonly_fields(
        self, request: HttpRequest, obj: Product | None = None
    ) -> tuple[str, ...]:
        # Goods of one kind make no sense as another.
        has_goods = obj is not None and obj.stock.exists()
        return (*self.readonly_fields, "kind") if has_goods else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Product | None = None) -> bool:
        """Deny: orders refer to products, taking one off sale is enough."""
        return False


@admin.register(StockBatch)
class StockBatchAdmin(ReadOnlyAdmin[StockBatch]):
    list_display = ("__str__", "product", "imported_count", "imported_by", "created_at")
    list_filter = ("created_at",)
    list_select_related = ("product",)
    search_fields = ("=id", "=product__number", "product__name", "imported_by")
    ordering = ("-pk",)


@admin.register(StockItem)
class StockItemAdmin(ReadOnlyAdmin[StockItem]):
    list_display = ("short_id", "product", "batch", "state", "file_name", "created_at")
    list_filter = ("state", "product")
    list_select_related = ("product", "batch")
    show_full_result_count = False
    search_fields = ("=product__number", "product__name")
    ordering = ("-pk",)
    fields = ("short_id", "product", "batch", "state", "file_name", "order_item", "created_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockItem]:
        return super().get_queryset(request).defer(*SECRET)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[StockItem], search_term: str
    ) -> tuple[QuerySet[StockItem], bool]:
        """Find an item by its short id, too."""
        try:
            return queryset.filter(pk=parse_short_stock_id(search_term)), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
