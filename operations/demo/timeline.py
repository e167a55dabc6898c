"""One travelling clock for everything that happens in the demo's past."""

from collections.abc import Generator, Iterable
from datetime import datetime
from heapq import heapify, heappop, heappush

from django.db import transaction

Story = Generator[datetime, None, None]
"""What happens to one purchase or one customer; yields the moment at which it goes on."""


def play(stories: Iterable[tuple[datetime, Story]]) -> None:
    """Tell stories side by side, each from its moment on: always the step that is due next."""
    waiting = [(at, serial, story) for serial, (at, story) in enumerate(stories)]
    heapify(waiting)
    while waiting:
        _, serial, story = heappop(waiting)
        following = next(story, None)
        if following is not None:
            heappush(waiting, (following, serial, story))
        forget_wake_ups()


def forget_wake_ups() -> None:
    """Wake no job after the commit: what the services ask for is over by then.

    After every step, because the services look through those that wait.
    """
    transaction.get_connection().run_on_commit.clear()
