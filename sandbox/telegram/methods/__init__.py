"""The methods of the Bot API, by topic."""

from sandbox.telegram.methods import (
    account,
    answers,
    commands,
    copying,
    editing,
    sending,
    updating,
)
from sandbox.telegram.methods.base import Method

__all__ = ["METHODS", "Method"]

_ALL = [
    *account.METHODS,
    *answers.METHODS,
    *commands.METHODS,
    *copying.METHODS,
    *editing.METHODS,
    *sending.METHODS,
    *updating.METHODS,
]

# Method names are case-insensitive.
METHODS = {method.name.lower(): method for method in _ALL}
