"""Updates of one person one at a time and in order, different people side by side."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

# What one person may have waiting. More than a person presses, less than would hurt others.
BACKLOG = 30


class LineFull(Exception):
    """This person has too much waiting already."""


@dataclass
class _Line:
    # asyncio.Lock wakes its waiters first come, first served.
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0


class PersonLines:
    """A bounded line for each person who has something to be done, and none for the others."""

    def __init__(self, backlog: int = BACKLOG) -> None:
        self._backlog = backlog
        self._lines: dict[int, _Line] = {}

    @asynccontextmanager
    async def turn(self, person_id: int) -> AsyncIterator[None]:
        """Wait for this person's turn; raise LineFull instead of making the line longer."""
        line = self._lines.setdefault(person_id, _Line())
        if line.length >= self._backlog:
            raise LineFull
        line.length += 1
        try:
            async with line.lock:
                yield
        finally:
            line.length -= 1
            if line.length == 0:
                del self._lines[person_id]
