"""Follows a payment to its expiry as promptly as the gateway's limits allow (rule 5 of money).

Each step is that of the sweep, which finds whatever is lost here. A silent gateway is left to it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from payments.models import Payment, PaymentPurpose
from payments.services.expiry import expire_deposit, expire_order
from payments.services.schedule import CHECK_PAUSE, first_step_at

MARGIN = timedelta(milliseconds=200)
"""A job that comes a moment early would find nothing to do yet."""


def _expire_order(payment: Payment, now: datetime) -> bool:
    assert payment.order_id is not None  # noqa: S101 (a CHECK of the table)
    return expire_order(order_id=payment.order_id, now=now)


def _expire_deposit(payment: Payment, now: datetime) -> bool:
    return expire_deposit(payment_id=payment.pk, now=now)


STEPS: dict[str, Callable[[Payment, datetime], bool]] = {
    PaymentPurpose.ORDER: _expire_order,
    PaymentPurpose.DEPOSIT: _expire_deposit,
}
"""By purpose: one step nearer to the end of what is paid for; True when it has ended."""


def pursue_expiry(*, payment_id: int, now: datetime) -> datetime | None:
    """Do the step that is due; return when the next can be done, or None: there is none."""
    payment = Payment.objects.get(pk=payment_id)
    if not payment.is_open:
        return None
    if now < first_step_at(payment):
        return first_step_at(payment) + MARGIN
    if STEPS[payment.purpose](payment, now):
        return None
    payment.refresh_from_db()
    return _next_step_at(payment, now)


def _next_step_at(payment: Payment, now: datetime) -> datetime | None:
    """Tell when the gateway may be asked again, if the last question had its answer."""
    if not payment.is_open or payment.silent_since is not None:
        return None
    if payment.last_checked_at is None:
        return None
    return max(payment.last_checked_at + CHECK_PAUSE, now) + MARGIN
