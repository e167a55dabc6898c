"""The shop's process dies at a database statement that the run chose."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

# A transaction ends by itself: what is cut is the work in it.
FRAMING = ("SAVEPOINT", "RELEASE", "ROLLBACK")


class PowerCut(BaseException):
    """The process ends here. No `except Exception` of the shop may hold it up."""


class Power:
    """Lets a number of statements of the shop pass and ends the process at the next one."""

    def __init__(self) -> None:
        self.statements_left: int | None = None
        self._is_on = False

    def __call__(self, execute: Callable[..., Any], sql: Any, *rest: Any) -> Any:
        """Wrap a statement (django.db: execute_wrapper)."""
        if self._is_on and self.statements_left is not None and not self._is_framing(sql):
            self.statements_left -= 1
            if self.statements_left < 0:
                self.statements_left = None
                raise PowerCut
        return execute(sql, *rest)

    @contextmanager
    def on(self) -> Iterator[None]:
        """Inside, the shop is at work."""
        with self._switched(on=True):
            yield

    @contextmanager
    def off(self) -> Iterator[None]:
        """Inside, somebody else is: a stand-in answers out of the same database."""
        with self._switched(on=False):
            yield

    @contextmanager
    def _switched(self, *, on: bool) -> Iterator[None]:
        before, self._is_on = self._is_on, on
        try:
            yield
        finally:
            self._is_on = before

    @staticmethod
    def _is_framing(sql: Any) -> bool:
        return isinstance(sql, str) and sql.startswith(FRAMING)
