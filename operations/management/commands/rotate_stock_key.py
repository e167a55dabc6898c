import time
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.encryption import NoUsableKey, current_key_id
from operations.rotation import Rotation, count_by_key, removable_keys, rotate_keys

BAR = 24
LINE_SECONDS = 5.0
"""Between two lines of progress where nobody watches a terminal."""
MOST_NAMED = 50


class Command(BaseCommand):
    help = "Encrypt all goods under the first key of STOCK_KEYS. May be killed and run again."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="open every row, write none")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(f"The first key is {current_key_id()}.")
            rotation = self._rotate(is_dry=options["dry_run"])
        except NoUsableKey as error:
            raise CommandError(str(error)) from None
        what = "would be encrypted" if options["dry_run"] else "encrypted"
        self.stdout.write(f"{rotation.rotated:,} of {rotation.total:,} {what} under it.")
        self._name_unopened(rotation)
        self._say_keys()
        if rotation.unopened:
            raise SystemExit(1)

    def _rotate(self, *, is_dry: bool) -> Rotation:
        started = told = time.monotonic()
        for rotation in rotate_keys(is_dry=is_dry):
            now = time.monotonic()
            line = _progress(rotation, now - started)
            if self.stdout.isatty():
                self.stdout.write(f"\r[{_bar(rotation)}] {line}", ending="")
            elif now - told >= LINE_SECONDS:
                self.stdout.write(line)
                told = now
        if self.stdout.isatty():
            self.stdout.write()
        return rotation

    def _name_unopened(self, rotation: Rotation) -> None:
        for name in islice(rotation.unopened, MOST_NAMED):
            self.stdout.write(f"{name}: no key of STOCK_KEYS opens it; left as it is.")
        if len(rotation.unopened) > MOST_NAMED:
            self.stdout.write(f"and {len(rotation.unopened) - MOST_NAMED:,} more.")

    def _say_keys(self) -> None:
        for key, number in sorted(count_by_key().items()):
            self.stdout.write(f"{number:,} under {f'key {key}' if key else 'a key not known yet'}")
        for key in removable_keys():
            self.stdout.write(f"Nothing is under key {key} any more: it may be removed.")


def _bar(rotation: Rotation) -> str:
    filled = BAR * rotation.done // max(rotation.total, 1)
    return "#" * min(filled, BAR) + " " * (BAR - filled)


def _progress(rotation: Rotation, seconds: float) -> str:
    rate = rotation.done / seconds if seconds else 0.0
    left = max(rotation.total - rotation.done, 0)
    remaining = f"{left / rate:,.0f} s left" if rate else "beginning"
    return f"{rotation.done:,} of {rotation.total:,}, {rate:,.0f} rows/s, {remaining}"
