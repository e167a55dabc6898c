"""The demo store's vouchers: two that work, one used up by the history, one that is over."""

from datetime import datetime, timedelta
from decimal import Decimal

from orders.models import Voucher

OPENING = "PERDANA"
CODES = ("MERDEKA17", "HEMAT10", "POTONG5000")
"""What customers of the history try."""


def make_vouchers(*, opened_at: datetime, now: datetime) -> None:
    rows = [
        Voucher(
            code=OPENING,
            amount=Decimal(10_000),
            least_subtotal=Decimal(25_000),
            valid_from=opened_at,
            total_uses=3,
        ),
        Voucher(
            code="MERDEKA17",
            percent=Decimal(17),
            most_discount=Decimal(25_000),
            valid_from=opened_at,
            valid_until=now - timedelta(days=25),
        ),
        Voucher(code="HEMAT10", percent=Decimal(10), most_discount=Decimal(15_000)),
        Voucher(code="POTONG5000", amount=Decimal(5_000), least_subtotal=Decimal(50_000)),
    ]
    for voucher in rows:
        voucher.full_clean()
        voucher.save()
