"""RQ jobs: each makes prompt what the sweep does anyway; any may run twice or never."""

from django.utils import timezone

from core.jobs import wake_at
from payments.services.check import tend_payment
from payments.services.events import handle_event
from payments.services.opening import open_payment as open_payment_service
from payments.services.pursuit import pursue_expiry


def open_payment(payment_id: int) -> None:
    open_payment_service(payment_id=payment_id, now=timezone.now())


def close_payment(payment_id: int) -> None:
    tend_payment(payment_id=payment_id, now=timezone.now())


def handle_gateway_event(event_id: int) -> None:
    handle_event(event_id=event_id, now=timezone.now())


def expire_payment(payment_id: int) -> None:
    """Bring a payment to its end, step by step: the job wakes itself for the next one."""
    next_at = pursue_expiry(payment_id=payment_id, now=timezone.now())
    if next_at is not None:
        wake_at("expire_payment", next_at, payment_id)
