"""Who does it: what services write into the audit trail for a member of staff."""

from datetime import datetime
from typing import TypedDict

from django.http import HttpRequest
from django.utils import timezone


class Signature(TypedDict):
    actor: str
    source: str
    now: datetime


def signed(request: HttpRequest) -> Signature:
    actor = f"staff:{request.user.get_username()}"[:80]
    return {"actor": actor, "source": "admin", "now": timezone.now()}
