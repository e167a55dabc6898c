"""What stands below a product's form: its stock, its uploads, its latest orders."""

from django.db.models import Count

from backoffice.admin.base import filtered_by
from backoffice.display import badge, link_to, moment, money, state_badge
from backoffice.panels import Panel, Timeline
from backoffice.staff import actor_names
from catalog.models import Product, StockBatch, StockItem, StockState
from catalog.selectors import count_stock
from orders.models import OrderItem

SHOWN = 10


def product_panels(product: Product) -> list[Panel | Timeline]:
    return [_stock(product), _batches(product), _orders(product)]


def _stock(product: Product) -> Panel:
    counted = product.stock.order_by().values_list("state").annotate(items=Count("pk"))
    items = dict(counted)
    left = count_stock([product.pk]).get(product.pk, 0)
    can_buy = badge("Sold out", "bad") if left == 0 else "∞" if left is None else str(left)
    cells = [items.get(state, 0) for state in StockState.values]
    return Panel(
        title="Stock now",
        headers=("Can be bought", *(StockState(state).label for state in StockState.values)),
        rows=[(can_buy, *cells)],
        more_url=filtered_by(StockItem, product__id__exact=product.pk),
        more="All items",
    )


def _batches(product: Product) -> Panel:
    batches = list(product.batches.order_by("-pk")[:SHOWN])
    names = actor_names(batch.imported_by for batch in batches)
    return Panel(
        title="Latest uploads",
        permission="catalog.view_stockbatch",
        headers=("Batch", "Items", "By", "When"),
        rows=[
            (
                link_to(batch, f"Batch {batch.pk}"),
                batch.imported_count,
                names[batch.imported_by],
                moment(batch.created_at),
            )
            for batch in batches
        ],
        empty="No stock yet: “Add stock” above makes the product buyable at once.",
        more_url=filtered_by(StockBatch, product__id__exact=product.pk),
        more="All batches",
    )


def _orders(product: Product) -> Panel:
    items = OrderItem.objects.filter(product=product).select_related("order__customer")
    return Panel(
        title="Latest orders",
        permission="orders.view_order",
        headers=("Invoice", "Customer", "Quantity", "Total", "Status", "Placed"),
        rows=[
            (
                link_to(item.order),
                link_to(item.order.customer, item.order.customer.name),
                item.quantity,
                money(item.order.total_bill),
                state_badge(item.order.status, item.order.get_status_display()),
                moment(item.order.placed_at),
            )
            for item in items.order_by("-pk")[:SHOWN]
        ],
        empty="Nobody has ordered it yet.",
    )
