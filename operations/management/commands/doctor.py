import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from operations.doctor import Finding, Level, examine


class Command(BaseCommand):
    help = "Say of everything the shop needs whether it is well, and what to do if not."
    # What they would refuse is one of its findings.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="write one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        found = examine(now=now)
        for line in [_as_json(found, now)] if options["json"] else _as_lines(found):
            self.stdout.write(line)
        if _problems(found):
            raise SystemExit(1)


def _problems(found: dict[str, Finding]) -> int:
    return sum(each.level == Level.PROBLEM for each in found.values())


def _as_json(found: dict[str, Finding], now: datetime) -> str:
    checks = [{"name": name, **asdict(each)} for name, each in found.items()]
    return json.dumps(
        {"ok": not _problems(found), "checked_at": now.isoformat(), "checks": checks}
    )


def _as_lines(found: dict[str, Finding]) -> Iterator[str]:
    widest = max(map(len, found))
    for name, each in found.items():
        sentence = f"{each.text}. {each.advice}" if each.advice else each.text
        yield f"{each.level:<8} {name:<{widest}}  {sentence}"
    warnings = sum(each.level == Level.WARNING for each in found.values())
    yield f"{_problems(found)} problems, {warnings} warnings."
