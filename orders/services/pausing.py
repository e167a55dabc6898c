"""A pause for who lets one order after another expire: each holds goods others could buy."""

from datetime import datetime, timedelta
from itertools import islice

from accounts.models import Customer
from core.models import store_settings
from orders.errors import OrderingPaused
from orders.models import OrderStatus

WINDOW = timedelta(hours=1)
"""Within this time the expiries that make a pause must lie."""


def check_pause(*, customer: Customer, now: datetime) -> None:
    """Raise OrderingPaused while the customer's expired orders make them wait."""
    until = pause_until(customer=customer, now=now)
    if until is not None:
        raise OrderingPaused(until)


def pause_until(*, customer: Customer, now: datetime) -> datetime | None:
    """Return when the pause that holds now is over; an order paid late counts no longer."""
    settings = store_settings()
    count, pause = settings.expiries_before_pause, settings.expiry_pause
    if not count or not pause:
        return None
    expired = customer.orders.filter(
        status=OrderStatus.EXPIRED, ended_at__gt=now - pause - WINDOW, ended_at__lte=now
    )
    rows = expired.order_by("-ended_at").values_list("ended_at", flat=True)
    ends = [ended_at for ended_at in rows if ended_at is not None]
    for last, first in zip(ends, islice(ends, count - 1, None), strict=False):
        if last - first <= WINDOW and now < last + pause:
            return last + pause
    return None
