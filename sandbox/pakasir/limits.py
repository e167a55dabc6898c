"""The rate limits of the original: refused calls do not count."""

import math

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from sandbox.pakasir.errors import TooManyRequests
from sandbox.pakasir.models import PakasirWindow


def admit(name: str, *, calls: int, seconds: float) -> None:
    """Let at most `calls` through in any `seconds`; raise TooManyRequests for the others."""
    if getattr(settings, "SANDBOX_PAKASIR_LIMITS", True):
        wait = _count(name, calls=calls, seconds=seconds)
        if wait > 0:
            raise TooManyRequests(math.ceil(wait))


@transaction.atomic
def _count(name: str, *, calls: int, seconds: float) -> float:
    """Count the call and return 0, or return the seconds to wait. The row lock orders callers."""
    now = timezone.now().timestamp()
    window, _ = PakasirWindow.objects.select_for_update().get_or_create(name=name)
    recent = [at for at in window.passed if now - seconds < at <= now]
    if len(recent) >= calls:
        return float(recent[-calls] + seconds - now)
    window.passed = [*recent, now]
    window.save(update_fields=["passed"])
    return 0.0
