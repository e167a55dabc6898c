from typing import Any

from django.core.management.base import BaseCommand

from operations.sweep import sweep


class Command(BaseCommand):
    help = "Do everything that is due, once: completions, messages, events, expiries, checks."

    def handle(self, *args: Any, **options: Any) -> None:
        for step, count in sweep().items():
            self.stdout.write(f"{step}: {count}")
