"""Uploads of stock and single items. What an item contains is never shown."""
# ruff: noqa: ARG002 (the signatures are Django's)

from collections import defaultdict
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.safestring import SafeString

from backoffice.admin.acted import ActedAdmin, actor_column
from backoffice.admin.base import ReadOnlyAdmin, button, filtered_by, time_column
from backoffice.confirm import Question, ask
from backoffice.display import NOTHING, link_to, state_badge
from backoffice.panels import Panel, Timeline
from backoffice.staff import signed
from catalog.models import StockBatch, StockItem, StockState
from catalog.services.withdrawal import withdraw_batch
from core.ids import parse_short_stock_id

SECRET = ("content", "fingerprint")


@admin.register(StockBatch)
class StockBatchAdmin(ActedAdmin[StockBatch]):
    list_display = (
        "name",
        "product_name",
        "imported_count",
        "available",
        "reserved",
        "sold",
        "withdrawn",
        "by",
        "created",
    )
    list_display_links = ("name",)
    list_filter = ("created_at",)
    list_select_related = ("product",)
    list_before_template = "backoffice/stock_hint.html"
    search_fields = ("=id", "=product__number", "product__name", "imported_by")
    search_help_text = "Search by batch, product or who uploaded it"
    ordering = ("-pk",)
    empty_text = "Stock is added on a product's page."
    fields = ("product_name", "imported_count", "by", "created")
    readonly_fields = fields
    actions_detail = ("withdraw",)
    actor_field = "imported_by"

    by = actor_column("imported_by", "imported by")
    created = time_column("created_at", "uploaded")

    def prepare_rows(self, rows: list[StockBatch]) -> None:
        super().prepare_rows(rows)
        counts = items_by_state([row.pk for row in rows])
        for row in rows:
            vars(row)["_items"] = counts[row.pk]

    def row_title(self, row: StockBatch) -> str:
        return self.name(row)

    @admin.display(description="batch", ordering="pk")
    def name(self, row: StockBatch) -> str:
        return f"Batch {row.pk}"

    @admin.display(description="product", ordering="product__number")
    def product_name(self, row: StockBatch) -> SafeString | str:
        return link_to(row.product)

    @admin.display(description="available")
    def available(self, row: StockBatch) -> int:
        return _count(row, StockState.AVAILABLE)

    @admin.display(description="reserved")
    def reserved(self, row: StockBatch) -> int:
        return _count(row, StockState.RESERVED)

    @admin.display(description="sold")
    def sold(self, row: StockBatch) -> int:
        return _count(row, StockState.SOLD)

    @admin.display(description="withdrawn")
    def withdrawn(self, row: StockBatch) -> int:
        return _count(row, StockState.WITHDRAWN)

    def panels(self, request: HttpRequest, row: StockBatch) -> list[Panel | Timeline]:
        counts = items_by_state([row.pk])[row.pk]
        items = row.items.defer(*SECRET).order_by("pk").select_related("order_item__order")
        return [
            Panel(
                title="Items by state",
                headers=[StockState(state).label for state in StockState.values],
                rows=[[counts[state] for state in StockState.values]],
            ),
            Panel(
                title="First items",
                permission="catalog.view_stockitem",
                headers=("Item", "State", "Order"),
                rows=[(link_to(item), item_badge(item), order_link(item)) for item in items[:20]],
                more_url=filtered_by(StockItem, batch__id__exact=row.pk),
                more="All items",
            ),
        ]

    def has_withdraw_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("catalog.change_stockbatch")

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        """Offer to withdraw while there is something to withdraw."""
        is_left = StockItem.objects.available().filter(batch=object_id).exists()
        return super().get_actions_detail(request, object_id) if is_left else []

    @button(
        description="Withdraw what is left",
        url_path="withdraw",
        icon="undo",
        permissions=["withdraw"],
    )
    def withdraw(self, request: HttpRequest, object_id: int) -> HttpResponse:
        batch = get_object_or_404(StockBatch.objects.select_related("product"), pk=object_id)
        counts = items_by_state([batch.pk])[batch.pk]
        kept = counts[StockState.RESERVED] + counts[StockState.SOLD]

        def do() -> str:
            count = withdraw_batch(batch_id=batch.pk, **signed(request))
            return f"{count:,} of batch {batch.pk} withdrawn. Nobody can buy them any more."

        question = Question(
            title=f"Withdraw what is left of batch {batch.pk} ({batch.product.name})?",
            sentences=(
                f"{counts[StockState.AVAILABLE]:,} available items can no longer be bought.",
                "This cannot be undone, but you can upload them again.",
                f"{kept:,} items that are reserved or sold stay with their orders.",
            ),
            button="Withdraw",
            do=do,
            back=reverse("admin:catalog_stockbatch_change", args=[batch.pk]),
        )
        return ask(self, request, batch, question)


@admin.register(StockItem)
class StockItemAdmin(ReadOnlyAdmin[StockItem]):
    list_display = ("short_id", "product_name", "status", "batch_name", "order", "created")
    list_display_links = ("short_id",)
    list_filter = ("state",)
    list_select_related = ("product", "batch", "order_item__order")
    show_full_result_count = False
    list_before_template = "backoffice/stock_hint.html"
    search_fields = ("=product__number", "product__name")
    search_help_text = "Search by short id (STCK…) or product"
    ordering = ("-pk",)
    empty_text = "Stock is added on a product's page."
    fields = ("short_id", "product_name", "status", "batch_name", "order", "file_name", "created")
    readonly_fields = fields

    created = time_column("created_at", "uploaded")

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockItem]:
        return super().get_queryset(request).defer(*SECRET)

    @admin.display(description="product", ordering="product__number")
    def product_name(self, row: StockItem) -> SafeString | str:
        return link_to(row.product)

    @admin.display(description="state", ordering="state")
    def status(self, row: StockItem) -> SafeString:
        return item_badge(row)

    @admin.display(description="batch", ordering="batch")
    def batch_name(self, row: StockItem) -> SafeString | str:
        return link_to(row.batch, f"Batch {row.batch_id}")

    @admin.display(description="order")
    def order(self, row: StockItem) -> SafeString | str:
        return order_link(row)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[StockItem], search_term: str
    ) -> tuple[QuerySet[StockItem], bool]:
        """Find an item by its short id, too."""
        try:
            return queryset.filter(pk=parse_short_stock_id(search_term)), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term)


def items_by_state(batch_ids: list[int]) -> dict[int, dict[str, int]]:
    """Count the items of these batches by state."""
    rows = StockItem.objects.filter(batch__in=batch_ids).order_by()
    counted: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(StockState.values, 0))
    for batch, state, items in rows.values_list("batch", "state").annotate(items=Count("pk")):
        counted[batch][state] = items
    return counted


def item_badge(item: StockItem) -> SafeString:
    return state_badge(item.state, item.get_state_display())


def order_link(item: StockItem) -> SafeString | str:
    return link_to(item.order_item.order) if item.order_item else NOTHING


def _count(batch: StockBatch, state: str) -> int:
    return int(vars(batch)["_items"][state])
