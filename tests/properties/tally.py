"""How often each rule ran and what came of it, over all runs."""

from collections import Counter
from dataclasses import dataclass, field

RESULTS = ("done", "refused", "cut")


@dataclass
class Tally:
    """`deeds` counts what was tried, by result; `outcomes` what the database says it led to."""

    deeds: dict[str, Counter[str]] = field(default_factory=dict)
    rules: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    runs: int = 0

    @property
    def steps(self) -> int:
        return self.rules.total()

    def count(self, deed: str, result: str) -> None:
        self.deeds.setdefault(deed, Counter())[result] += 1

    def table(self) -> str:
        """Return the three tables as text: rules, deeds with their results, outcomes."""
        lines = ["rule                      ran"]
        lines += [f"{name:<22}{ran:>7}" for name, ran in sorted(self.rules.items())]
        lines += ["", f"{'deed':<22}" + "".join(f"{each:>9}" for each in RESULTS)]
        for deed, results in sorted(self.deeds.items()):
            lines.append(f"{deed:<22}" + "".join(f"{results[each]:>9}" for each in RESULTS))
        lines += ["", "outcome               orders"]
        lines += [f"{name:<22}{found:>6}" for name, found in sorted(self.outcomes.items())]
        return "\n".join(lines)
