"""What changed in the stand-ins, told at its commit to whoever looks on, in any process.

A change is a token: `chat:<chat_id>:<event>`, `typing:<chat_id>:<action>`, `callback:<id>`,
`chats`, `calls`, `payments` or `reset`. It says where to look, not what is there.
"""

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

CHANNEL = "sandbox_changes"

_TELL = "SELECT pg_notify(%s, token) FROM unnest(%s::text[]) AS token"


def tell(*tokens: str) -> None:
    """Call it in the transaction of the change. (`hold_chat` and `record` tell by themselves.)"""
    with connection.cursor() as cursor:
        cursor.execute(_TELL, [CHANNEL, list(tokens)])


class ReaderGone(Exception):
    pass


class Listener:
    """Hears what is told from its making on. `reader` is the socket of who wants to know."""

    def __init__(self, raw: Any, reader: socket.socket | None) -> None:
        self._raw = raw
        self._reader = reader
        self._poll = select.poll()
        self._poll.register(raw.fileno(), select.POLLIN)
        if reader is not None:
            self._poll.register(reader.fileno(), select.POLLIN)

    def wait(self, seconds: float) -> list[str]:
        """Return what was told, after `seconds` nothing; raise ReaderGone as soon as they are."""
        tokens = self.heard()
        if tokens:
            return tokens
        ready = {number for number, _ in self._poll.poll(seconds * 1000)}
        if self._reader is not None and self._reader.fileno() in ready:
            self._look_at(self._reader)
        return self.heard()

    def heard(self) -> list[str]:
        """Return what is there without waiting."""
        with connection.wrap_database_errors:
            return [each.payload for each in self._raw.notifies(timeout=0)]

    def _look_at(self, reader: socket.socket) -> None:
        try:
            is_open = bool(reader.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except OSError:
            is_open = False
        if not is_open:
            raise ReaderGone
        # It sent more than its request: nothing to wait for any more.
        self._poll.unregister(reader.fileno())
        self._reader = None


@contextmanager
def listening(reader: socket.socket | None = None) -> Iterator[Listener]:
    """Not in a transaction: LISTEN would only begin with its commit."""
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {CHANNEL}")
    raw = connection.connection
    try:
        yield Listener(raw, reader)
    finally:
        if not raw.closed:
            raw.execute(f"UNLISTEN {CHANNEL}")
