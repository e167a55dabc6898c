import logging
import time
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from catalog.models import Product
from operations.demo.seeding import StoreSize, is_seeded, seed_store


class Command(BaseCommand):
    help = "Fill an empty sandbox store with a believable demo; a second run changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=1, help="decides the history (default 1)")
        parser.add_argument(
            "--if-empty", action="store_true", help="leave a store that has products as it is"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SANDBOX:
            raise CommandError("seed_demo is for the sandbox only: SANDBOX is off.")
        if is_seeded():
            self.stdout.write("The demo is there already; nothing changed.")
        elif not Product.objects.exists():
            self._seed(options["seed"])
        elif options["if_empty"]:
            self.stdout.write("The store has products already; nothing changed.")
        else:
            raise CommandError("seed_demo fills an empty store; this one has products already.")
        self._say_who()

    def _seed(self, seed: int) -> None:
        started = time.monotonic()
        # What the services note about the past (late money, refusals) concerns nobody today.
        logging.disable(logging.INFO)
        try:
            size = seed_store(seed=seed, now=timezone.now())
        finally:
            logging.disable(logging.NOTSET)
        self._report(size, time.monotonic() - started)

    def _report(self, size: StoreSize, seconds: float) -> None:
        made = ", ".join(f"{count} {name}" for name, count in asdict(size).items())
        self.stdout.write(f"Demo store made: {made}, in {seconds:.1f} s.")

    def _say_who(self) -> None:
        people = ", ".join(
            f"{each['first_name']} {each['last_name']} ({each['role']}, {each['id']})"
            for each in settings.SANDBOX_PERSONAS
        )
        login = "{username} / {password}".format(**settings.SANDBOX_STAFF_LOGIN)
        self.stdout.write(f"Staff login: {login} at {settings.PUBLIC_URL}/{settings.ADMIN_PATH}/")
        self.stdout.write(f"Personas: {people}")
