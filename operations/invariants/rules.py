"""How an invariant is written: as queries for the rows that break it, never as a look at all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

MOST_NAMED = 20
"""Rows of one rule that are named; the others are counted."""


@dataclass(frozen=True)
class Rule:
    """Rows that break it, and the sentence about each of them."""

    broken: QuerySet[Any, Any]
    sentence: Callable[[Any], str]


Violations = tuple[list[str], int]
"""The sentences, and how many more rows break the same."""


@dataclass(frozen=True)
class Invariant:
    """`count` says how many rows it is about, `find` what breaks it."""

    name: str
    title: str
    count: Callable[[], int]
    find: Callable[[datetime], Violations]


@dataclass(frozen=True)
class ByRules:
    """The `find` of an invariant that queries alone can tell."""

    rules: Callable[[datetime], Iterator[Rule]]

    def __call__(self, now: datetime) -> Violations:
        found: list[str] = []
        more = 0
        for rule in self.rules(now):
            rows = list(rule.broken[: MOST_NAMED + 1])
            found += map(rule.sentence, rows[:MOST_NAMED])
            if len(rows) > MOST_NAMED:
                more += rule.broken.count() - MOST_NAMED
        return found, more
