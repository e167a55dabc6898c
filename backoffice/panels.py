"""What stands around a row's fields: what comes first, what belongs to it, what happened when."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from backoffice.display import clock


@dataclass(frozen=True)
class Lead:
    """What is said above a row's fields, and the one thing to do about it."""

    title: str = ""
    sentences: Sequence[str] = ()
    button: str = ""
    url: str = ""
    is_for_phones: bool = False
    """A wide screen shows the button in its head already."""


@dataclass(frozen=True)
class Panel:
    """A table; `empty` is said when it has no rows, `more_url` leads to all of them.

    Only who has the `permission` sees it, where one is named.
    """

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[Any]]
    empty: str = "Nothing yet."
    more_url: str = ""
    more: str = "Show all"
    permission: str = ""
    template: str = field(default="backoffice/_table.html", init=False)

    @property
    def is_wide(self) -> bool:
        """More columns than a phone can show side by side."""
        return len(self.headers) > 3

    @property
    def labelled_rows(self) -> list[list[tuple[str, Any]]]:
        """Every cell with the header it stands under: a narrow screen shows no header row."""
        labels = [header[:1].upper() + header[1:] for header in self.headers]
        return [list(zip(labels, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Step:
    text: str
    at: datetime
    icon: str = "circle"
    tone: str = "quiet"

    @property
    def time(self) -> str:
        return clock(self.at)


@dataclass(frozen=True)
class Timeline:
    title: str
    steps: Sequence[Step]
    permission: str = ""
    template: str = field(default="backoffice/_timeline.html", init=False)
