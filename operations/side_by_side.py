"""Many things at a time, each thread on its own connection to the database."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import TypeVar

from django.db import connections

T = TypeVar("T")


def share_out(keys: Sequence[int], work: Callable[[Sequence[int]], T], *, threads: int) -> list[T]:
    """Let `work` go through a share of the keys in each of the threads; return the results.

    The shares are dealt out like cards, so that the first keys come first. With one thread the
    work is done by the caller. Raises what a share raises, when all have ended.
    """
    threads = min(threads, len(keys))
    if threads <= 1:
        return [work(keys)]
    shares = [keys[at::threads] for at in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(_on_own_connections, repeat(work), shares))


def _on_own_connections(work: Callable[[Sequence[int]], T], share: Sequence[int]) -> T:
    try:
        return work(share)
    finally:
        connections.close_all()
