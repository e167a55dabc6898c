"""When the gateway is asked about a payment (rule 7 of money).

An open payment is asked about after 15 s, then every 30 s; an ended one with growing pauses for
48 h, because unpaid transactions live at the gateway for about a day and late money does come.
"""

from datetime import datetime, timedelta

from core.models import store_settings
from payments.models import Payment, PaymentStatus

JOB_HEAD_START = timedelta(seconds=3)
"""The sweep leaves new work to its job for this long."""
FIRST_CHECK = timedelta(seconds=15)
CHECK_EVERY = timedelta(seconds=30)
CHECK_PAUSE = timedelta(seconds=4)
"""The gateway answers one status request per transaction in this time (Pakasir API v2)."""
OPENING_LEASE = timedelta(seconds=30)
WATCH = timedelta(hours=48)


def next_check(payment: Payment, now: datetime) -> datetime | None:
    """Return when to ask about this payment next, None for never."""
    if payment.status == PaymentStatus.COMPLETED:
        return None
    if payment.is_open:
        return now + CHECK_EVERY
    if payment.txn_id is None:
        return None
    ended = payment.ended_at or now
    pause = max(CHECK_EVERY, (now - ended) / 2)
    return now + pause if now + pause <= ended + WATCH else None


def opening_retry(payment: Payment, now: datetime) -> datetime:
    """Return when to ask again for a transaction the gateway did not create: 5 s, 10 s, … 60 s."""
    return now + timedelta(seconds=min(5 * 2 ** max(payment.attempts - 1, 0), 60))


def first_step_at(payment: Payment) -> datetime:
    """Return when the payment's time and grace are over."""
    return payment.expires_at + store_settings().expiry_grace
