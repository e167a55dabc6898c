"""Signs of life of the bot and the scheduler, for /health/ready/."""

from datetime import datetime

from core.models import Heartbeat


def beat(*, name: str, now: datetime) -> None:
    Heartbeat.objects.update_or_create(name=name, defaults={"seen_at": now})
