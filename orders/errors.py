"""Refusals of this app's services."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from core.errors import DomainError

if TYPE_CHECKING:
    from orders.models import Order
    from orders.services.quotes import Quote
    from orders.services.refund_quotes import RefundQuote


class OrderNotFound(DomainError):
    """No such order, or not this customer's."""

    code = "order_not_found"


class OrderNotPending(DomainError):
    """The order is no longer waiting for payment."""

    code = "order_not_pending"

    def __init__(self, order: "Order") -> None:
        super().__init__(f"{order.invoice_id} is {order.status}")
        self.order = order


class PriceChanged(DomainError):
    """The total that was shown is not today's; `quote` is."""

    code = "price_changed"

    def __init__(self, quote: "Quote") -> None:
        super().__init__(f"the total is {quote.total} now")
        self.quote = quote


class MethodRefused(DomainError):
    """This total cannot be paid this way; `reason` is Quote.qris_refusal or `not_free`."""

    code = "method_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooManyOpenOrders(DomainError):
    code = "too_many_open_orders"

    def __init__(self, *, limit: int, orders: "list[Order]") -> None:
        super().__init__(f"{len(orders)} open orders, at most {limit}")
        self.limit = limit
        self.orders = orders


class OrderingPaused(DomainError):
    """Too many of the customer's orders expired; by QRIS they may order again from `until`."""

    code = "ordering_paused"

    def __init__(self, until: datetime) -> None:
        super().__init__(f"until {until.isoformat()}")
        self.until = until


class VoucherRefusal(StrEnum):
    UNKNOWN = "unknown"
    INACTIVE = "inactive"
    NOT_YET = "not_yet"
    OVER = "over"
    BELOW_MINIMUM = "below_minimum"
    USED_UP = "used_up"
    USED_BY_CUSTOMER = "used_by_customer"
    OPEN_ORDER = "open_order"
    TOO_SOON = "too_soon"


class VoucherRefused(DomainError):
    """`minimum` is set for BELOW_MINIMUM; `until` for NOT_YET (start), OVER (end) and TOO_SOON."""

    code = "voucher_refused"

    def __init__(
        self,
        reason: VoucherRefusal,
        *,
        minimum: Decimal | None = None,
        until: datetime | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.minimum = minimum
        self.until = until


class RefundRefusal(StrEnum):
    NOT_PAID = "not_paid"
    FREE = "free"
    ALL_REFUNDED = "all_refunded"
    TOO_MANY_UNITS = "too_many_units"
    NOTHING_LEFT = "nothing_left"
    NOTE = "note"
    ON_ITS_WAY = "on_its_way"


class RefundRefused(DomainError):
    """`units_left` is set for TOO_MANY_UNITS, `quote` for NOTHING_LEFT (its amount is 0)."""

    code = "refund_refused"

    def __init__(
        self,
        reason: RefundRefusal,
        *,
        units_left: int = 0,
        quote: "RefundQuote | None" = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.units_left = units_left
        self.quote = quote


class RefundChanged(DomainError):
    """The amount that was shown is not today's; `quote` is."""

    code = "refund_changed"

    def __init__(self, quote: "RefundQuote") -> None:
        super().__init__(f"the refund is {quote.amount} now")
        self.quote = quote
