"""RQ jobs: each makes prompt what the sweep does anyway; any may run twice or never."""

from django.utils import timezone

from payments.services.check import tend_payment
from payments.services.events import handle_event
from payments.services.opening import open_payment as open_payment_service


def open_payment(payment_id: int) -> None:
    open_payment_service(payment_id=payment_id, now=timezone.now())


def close_payment(payment_id: int) -> None:
    tend_payment(payment_id=payment_id, now=timezone.now())


def handle_gateway_event(event_id: int) -> None:
    handle_event(event_id=event_id, now=timezone.now())
