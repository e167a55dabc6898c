"""`manage.py health`, which containers and operators ask: exit 1 and one line per part."""

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from core.heartbeat import beat
from operations.health import PARTS, SEEN_LATELY

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
NOW = timezone.now()


@pytest.fixture(autouse=True)
def _only_the_bot_lives(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    beat(name="bot", now=NOW)
    beat(name="scheduler", now=NOW - SEEN_LATELY - timedelta(seconds=1))
    return


def health(*parts: str) -> str:
    said = StringIO()
    call_command("health", *parts, stdout=said)
    return said.getvalue()


def test_a_part_that_lives_is_ready_whatever_the_others_do() -> None:
    assert health("bot") == "ready\n"


@pytest.mark.parametrize(
    ("part", "why"), [("scheduler", "last seen 31 s ago"), ("worker", "never seen")]
)
def test_a_part_that_does_not_live_fails_and_says_why(part: str, why: str) -> None:
    with pytest.raises(CommandError, match=f"^{part}: {why}$") as refused:
        health(part)
    assert refused.value.returncode == 1


def test_without_a_part_every_part_is_asked() -> None:
    with pytest.raises(CommandError) as refused:
        health()
    assert str(refused.value).splitlines() == [
        "worker: never seen",
        "scheduler: last seen 31 s ago",
    ]


def test_a_part_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(CommandError) as refused:
        health("bot", "cashier")
    assert str(refused.value) == f"There is no part cashier: choose from {', '.join(PARTS)}."
