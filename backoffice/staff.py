"""Who does it: what services write down for a member of staff, and what pages show of it.

Written down is the login's key, which tells nothing of a person; its name is looked up for a page.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone

STAFF = "staff:"
MOST_FOUND = 50


class Signature(TypedDict):
    actor: str
    source: str
    now: datetime


def signed(request: HttpRequest) -> Signature:
    return {"actor": f"{STAFF}{request.user.pk}", "source": "admin", "now": timezone.now()}


def actor_names(actors: Iterable[str]) -> dict[str, str]:
    """Return what is shown for each actor: `staff:owner` for `staff:1`, others as they are."""
    given = set(actors)
    keys = {actor: int(key) for actor in given if (key := _key(actor))}
    rows = User.objects.filter(pk__in=keys.values()) if keys else User.objects.none()
    logins = dict(rows.values_list("pk", "username"))
    return {
        actor: f"{STAFF}{logins[keys[actor]]}" if keys.get(actor) in logins else actor
        for actor in given
    }


def actor_name(actor: str) -> str:
    return actor_names([actor])[actor]


def actors_called(words: str) -> list[str]:
    """Return the members of staff whose login has these words in it, as actors."""
    name = words.strip().removeprefix(STAFF)
    found = User.objects.filter(username__icontains=name)[:MOST_FOUND] if name else ()
    return [f"{STAFF}{user.pk}" for user in found]


def _key(actor: str) -> str:
    key = actor.removeprefix(STAFF)
    return key if key != actor and key.isascii() and key.isdigit() and len(key) < 10 else ""
