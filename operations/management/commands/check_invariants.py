import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from operations.invariants import Checked, check_invariants


class Command(BaseCommand):
    help = "Check what must always be true of money and stock (I1 to I10); exit 1 if it is not."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="write one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        found = check_invariants(now=now)
        lines = [_as_json(found, now)] if options["json"] else _as_table(found)
        for line in lines:
            self.stdout.write(line)
        if any(each.violations for each in found):
            raise SystemExit(1)


def _as_json(found: list[Checked], now: datetime) -> str:
    is_ok = not any(each.violations for each in found)
    invariants = [asdict(each) for each in found]
    return json.dumps({"ok": is_ok, "checked_at": now.isoformat(), "invariants": invariants})


def _as_table(found: list[Checked]) -> Iterator[str]:
    widest = max(len(each.title) for each in found)
    for each in found:
        state = "VIOLATED" if each.violations else "ok"
        yield f"{each.name:<4} {each.title:<{widest}} {each.checked:>9,}  {state}"
        yield from (f"     - {line}" for line in each.violations)
        if each.more:
            yield f"     - and {each.more:,} more"
    broken = [each.name for each in found if each.violations]
    yield f"{', '.join(broken)}: violated." if broken else "Every invariant holds."
