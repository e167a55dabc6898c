"""What is remembered of a gateway that does not answer or refuses, and what staff hear of it.

Of an outage they hear twice, of its beginning and its end, however many processes notice.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from core.clock import local_date
from core.models import OutboxPriority
from core.outbox import STAFF, References, enqueue_message
from payments.models import GatewaySilence, Payment, PaymentStatus

CALLS_BEFORE_TOLD = 3
LASTS_BEFORE_TOLD = timedelta(seconds=20)
"""Fewer or shorter is a lost answer or a hiccup: it passes before anybody could do anything."""
REFUSALS_BEFORE_TOLD = 3
REFUSALS_WITHIN = timedelta(hours=1)


@transaction.atomic
def remember_silence(*, gateway: str, moment: datetime) -> None:
    """Count a call without an answer; tell staff once it is an outage."""
    GatewaySilence.objects.update_or_create(
        gateway=gateway,
        defaults={"last_call_at": moment, "calls": F("calls") + 1},
        create_defaults={"since": moment, "last_call_at": moment},
    )
    outages = GatewaySilence.objects.filter(
        gateway=gateway,
        told_at=None,
        calls__gte=CALLS_BEFORE_TOLD,
        since__lte=moment - LASTS_BEFORE_TOLD,
    )
    if outages.update(told_at=moment):
        since = GatewaySilence.objects.values_list("since", flat=True).get(gateway=gateway)
        references: References = {"gateway": gateway, "since": since.isoformat()}
        _tell_staff("staff_gateway_down", references, since.isoformat())


def note_answer(*, gateway: str, now: datetime) -> None:
    """Forget a silence, as the gateway answers; who heard that it was down hears it is up."""
    if GatewaySilence.objects.filter(gateway=gateway).exists():
        _end_silence(gateway, now)


@transaction.atomic
def _end_silence(gateway: str, now: datetime) -> None:
    silence = GatewaySilence.objects.filter(gateway=gateway).lock().first()
    if silence is None:
        return
    GatewaySilence.objects.filter(gateway=gateway).delete()
    if silence.told_at is not None:
        since = silence.since.isoformat()
        references: References = {"gateway": gateway, "since": since, "until": now.isoformat()}
        _tell_staff("staff_gateway_up", references, since)


def tell_of_refused_key(*, gateway: str, now: datetime) -> None:
    """Tell staff, once a day, that no payment can be made until the key is put right."""
    _tell_refusing(gateway, "key", now)


def tell_of_refusals(*, gateway: str, now: datetime) -> None:
    """Tell staff, once a day, that the gateway keeps refusing to make transactions."""
    failed = Payment.objects.filter(gateway=gateway, status=PaymentStatus.FAILED)
    if failed.filter(ended_at__gt=now - REFUSALS_WITHIN).count() >= REFUSALS_BEFORE_TOLD:
        _tell_refusing(gateway, "refused", now)


def _tell_refusing(gateway: str, why: str, now: datetime) -> None:
    references: References = {"gateway": gateway, "why": why}
    _tell_staff("staff_gateway_refuses", references, f"{why}:{local_date(now)}")


def _tell_staff(kind: str, references: References, occasion: str) -> None:
    enqueue_message(
        recipient=STAFF,
        kind=kind,
        references=references,
        dedupe_key=f"{kind}:{references['gateway']}:{occasion}",
        priority=OutboxPriority.NOTICE,
    )
