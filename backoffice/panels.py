"""What stands below a row's fields: tables of what belongs to it, and what happened when."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from backoffice.display import clock


@dataclass(frozen=True)
class Panel:
    """A table; `empty` is said when it has no rows, `more_url` leads to all of them."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[Any]]
    empty: str = "Nothing yet."
    more_url: str = ""
    more: str = "Show all"
    template: str = field(default="backoffice/_table.html", init=False)

    @property
    def labelled_rows(self) -> list[list[tuple[str, Any]]]:
        """Every cell with the header it stands under: a narrow screen shows no header row."""
        return [list(zip(self.headers, row, strict=True)) for row in self.rows]


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
    template: str = field(default="backoffice/_timeline.html", init=False)
