from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from operations.health import PARTS, find_problems


class Command(BaseCommand):
    help = "Say what keeps the shop, or the parts that are named, from being ready; exit 1 if so."
    # A container asks every minute: the system checks would cost as much as the question.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("parts", nargs="*", metavar="part", help=f"one of {', '.join(PARTS)}")

    def handle(self, *args: Any, **options: Any) -> None:
        parts = options["parts"] or PARTS
        unknown = ", ".join(sorted(set(parts) - set(PARTS)))
        if unknown:
            raise CommandError(f"There is no part {unknown}: choose from {', '.join(PARTS)}.")
        problems = find_problems(now=timezone.now(), parts=parts)
        if problems:
            raise CommandError("\n".join(f"{part}: {why}" for part, why in problems.items()))
        self.stdout.write("ready")
