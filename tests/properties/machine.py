"""The state machine: all rules, what must be true after each of them, and how a run ends."""

import sys
from contextlib import ExitStack
from datetime import timedelta

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from operations.invariants import broken_invariants
from tests.properties import rest
from tests.properties.books import Books
from tests.properties.depositing import Depositing, Refunding
from tests.properties.failing import Failing
from tests.properties.paying import Paying
from tests.properties.rules import Move, move

# Expiry, the hour of an unmatched event, and 48 hours of watching what has ended.
TO_THE_END = [timedelta(minutes=minutes) for minutes in (2, 12, 65, 1_400, 1_500)]


class Broken(AssertionError):
    """Something that must be true of the shop is not."""


class RandomRun(Paying, Depositing, Refunding, Failing):
    """A step is one move; of three that are drawn it is the first that finds something to do."""

    def __init__(self) -> None:
        super().__init__()
        self._ending = ExitStack()
        self._ending.enter_context(self.shop.undone())
        self.books = Books()
        self.checkouts = {}
        self.has_changed = True
        self.story: list[str] = []
        self.last: list[tuple[Move, ...]] = []

    @rule(moves=st.tuples(move(), move(), move()))
    def play(self, moves: tuple[Move, ...]) -> None:
        # Hypothesis begins with the simplest run there is: one move, over and over.
        self.last = [*self.last[-3:], moves]
        assume(self.last.count(moves) < 4)
        for name, values in moves:
            if getattr(self, name)(**values):
                self.has_changed = True
                self.shop.tally.rules[name] += 1
                self.story.append(f"{self.shop.now:%d %H:%M:%S} {name} {values or ''}")
                return

    @invariant()
    def everything_holds(self) -> None:
        if self.has_changed:
            self._look()
            self.has_changed = False

    def _look(self) -> None:
        now = self.shop.now
        found = [*self.books.faults(), *self.shop.troubles.found]
        if self.shop.quick.finds_something(now):
            found += broken_invariants(now)
        self._report(found)

    def _report(self, found: list[str]) -> None:
        if found:
            raise Broken("\n".join([*self.story, *found]))

    def teardown(self) -> None:
        with self._ending:
            # A run that failed, or that Hypothesis gave up, has nothing more to show.
            if sys.exc_info()[0] is None:
                self._come_to_rest()

    def _come_to_rest(self) -> None:
        shop = self.shop
        shop.power.statements_left = None
        shop.gateway_is_away = False
        shop.bank.recover()
        shop.telegram.recover()
        shop.unblock_bot()
        for span in TO_THE_END:
            shop.pass_time(span)
        self._look()
        self._report([*broken_invariants(shop.now), *rest.unrest()])
        shop.tally.runs += 1
        shop.tally.outcomes.update(rest.outcomes(self.books))
