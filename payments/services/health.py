"""Whether a gateway answers, shared by all processes, and a pause while it does not.

A gateway that hangs costs every caller seconds. After two calls in a row without an answer nobody
calls for PAUSE: what is due meanwhile is treated as unanswered at once. One lost answer alone is
nobody else's trouble.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from payments.gateways import get_gateway
from payments.gateways.base import Gateway, GatewayError, GatewayUnavailable
from payments.models import GatewaySilence

T = TypeVar("T")
PAUSE = timedelta(seconds=3)
FRESH = timedelta(minutes=2)
"""How long a silence is worth telling when nobody has called since."""


def call_gateway(name: str, call: Callable[[Gateway], T], *, now: datetime) -> T:
    """Call a gateway and remember whether it answered; a refusal is an answer.

    Raises what the gateway raises, and GatewayUnavailable without calling during the pause.
    """
    silences = GatewaySilence.objects.filter(gateway=name, calls__gte=2)
    if silences.filter(last_call_at__gt=now - PAUSE).exists():
        raise GatewayUnavailable("it did not answer a moment ago")
    started = time.monotonic()
    try:
        answer = call(get_gateway(name))
    except GatewayUnavailable:
        # The pause begins when the caller gave up, not when the call began.
        _remember_silence(name, now + timedelta(seconds=time.monotonic() - started))
        raise
    except GatewayError:
        _forget_silence(name)
        raise
    _forget_silence(name)
    return answer


def gateway_is_down(*, now: datetime | None = None) -> bool:
    """Return whether the shop's gateway was silent when it was last called, not long ago."""
    since = (now or timezone.now()) - FRESH
    silences = GatewaySilence.objects.filter(gateway=settings.PAYMENT_GATEWAY)
    return silences.filter(last_call_at__gt=since).exists()


def _remember_silence(name: str, moment: datetime) -> None:
    GatewaySilence.objects.update_or_create(
        gateway=name,
        defaults={"last_call_at": moment, "calls": F("calls") + 1},
        create_defaults={"since": moment, "last_call_at": moment},
    )


def _forget_silence(name: str) -> None:
    GatewaySilence.objects.filter(gateway=name).delete()
