"""Whether a gateway answers, shared by all processes, and a pause while it does not.

A gateway that hangs costs every caller seconds. After two calls in a row without an answer nobody
calls for PAUSE: what is due meanwhile is treated as unanswered at once. One lost answer alone is
nobody else's trouble. While a silence lasts the sweep asks now and then: its end is noticed.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.utils import timezone

from payments.gateways import get_gateway
from payments.gateways.base import (
    Gateway,
    GatewayBusy,
    GatewayError,
    GatewayUnauthorized,
    GatewayUnavailable,
)
from payments.models import GatewaySilence
from payments.services.outages import note_answer, remember_silence, tell_of_refused_key

logger = logging.getLogger(__name__)

T = TypeVar("T")
PAUSE = timedelta(seconds=3)
FRESH = timedelta(minutes=2)
"""How long a silence is worth telling when nobody has called since."""
PROBE_EVERY = timedelta(seconds=15)
"""While a gateway is silent it is asked at least this often, also when nobody pays."""


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
    except GatewayBusy:
        raise  # it was not called
    except GatewayUnavailable:
        # The pause begins when the caller gave up, not when the call began.
        passed = timedelta(seconds=time.monotonic() - started)
        remember_silence(gateway=name, moment=now + passed)
        raise
    except GatewayError as error:
        note_answer(gateway=name, now=now)
        if isinstance(error, GatewayUnauthorized):
            tell_of_refused_key(gateway=name, now=now)
        raise
    note_answer(gateway=name, now=now)
    return answer


def gateway_is_down(*, now: datetime | None = None) -> bool:
    """Return whether the shop's gateway was silent when it was last called, not long ago."""
    since = (now or timezone.now()) - FRESH
    silences = GatewaySilence.objects.filter(gateway=settings.PAYMENT_GATEWAY)
    return silences.filter(last_call_at__gt=since).exists()


def probe_gateway(*, now: datetime) -> bool:
    """Ask a silent gateway for a sign of life if nobody else did lately; return whether asked."""
    silences = GatewaySilence.objects.filter(gateway=settings.PAYMENT_GATEWAY)
    if not silences.filter(last_call_at__lte=now - PROBE_EVERY).exists():
        return False
    try:
        call_gateway(settings.PAYMENT_GATEWAY, lambda gateway: gateway.ping(), now=now)
    except GatewayError as error:
        logger.info("still no sign of life of the gateway", extra={"why": error.code})
    return True
