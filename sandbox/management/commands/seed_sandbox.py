from typing import Any

from django.core.management.base import BaseCommand

from sandbox import personas


class Command(BaseCommand):
    help = "Let the stand-in for Telegram know the demo's personas and their admin group."

    def handle(self, *args: Any, **options: Any) -> None:
        made = personas.make_known()
        told = f"{made} chats made." if made else "Nothing to do: the stand-in knows everyone."
        self.stdout.write(told)
