from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.telegram.params import Params

Json = dict[str, Any]


@dataclass(frozen=True)
class Method:
    """`is_send` counts towards the limits; one that `waits` must not hold a transaction."""

    name: str
    handler: Callable[[Params], Any]
    is_send: bool = False
    waits: bool = False
