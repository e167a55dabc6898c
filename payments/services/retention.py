"""Forgets what nobody needs any more, as long as the store's settings say."""

from datetime import datetime, timedelta

from core.models import store_settings
from payments.models import Case, GatewayEvent

BATCH = 1000


def purge_events(*, now: datetime) -> int:
    """Delete handled gateway events that are old enough; return how many, BATCH at most.

    What belongs to a case stays with it.
    """
    kept_since = now - timedelta(days=store_settings().keep_events_days)
    old = GatewayEvent.objects.filter(handled_at__lt=kept_since)
    in_cases = Case.objects.exclude(event=None).values("event")
    keys = old.exclude(pk__in=in_cases).order_by("pk").values_list("pk", flat=True)[:BATCH]
    deleted, _ = GatewayEvent.objects.filter(pk__in=list(keys)).delete()
    return deleted
