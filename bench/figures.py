"""What was measured, as a line for people and as JSON for programs."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def percentile(times: Sequence[float], share: int) -> float:
    """Return the least time that `share` percent of all are not above (nearest rank)."""
    ordered = sorted(times)
    return ordered[max(math.ceil(len(ordered) * share / 100), 1) - 1]


@dataclass(frozen=True)
class Figure:
    """Seconds of something that was done often."""

    name: str
    times: tuple[float, ...]
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        found = {f"p{share}": percentile(self.times, share) for share in (50, 95, 99)}
        seconds = {
            key: round(value, 4) for key, value in {**found, "max": max(self.times)}.items()
        }
        return {"name": self.name, "count": len(self.times), "seconds": seconds, "note": self.note}

    def line(self) -> str:
        seconds = self.as_dict()["seconds"]
        shown = ", ".join(f"{key} {in_words(value)}" for key, value in seconds.items())
        note = f" ({self.note})" if self.note else ""
        return f"{self.name:<40} {shown} of {len(self.times)}{note}"


def in_words(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def write_json(path: Path, figures: Sequence[Figure]) -> None:
    found = {"figures": [figure.as_dict() for figure in figures]}
    path.write_text(json.dumps(found, indent=2) + "\n")
