import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from operations.scheduler import run_scheduler


class Command(BaseCommand):
    help = "Sweep every two seconds, forever. Any number may run: one of them works."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        run_scheduler(stop)
