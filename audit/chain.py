"""The chain of the audit database: each row's keyed hash covers the row and the hash before it.

A row keeps the hash before it in a column of its own. So a row that was changed is told from one
whose neighbour is missing: the first does not fit its own hash, the second does.
"""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from audit.models import AuditEntry, AuditHead

GENESIS = bytes(32)
"""What stands before the first row."""
CONTENT = ("uuid", "actor", "action", "target", "before", "after", "source", "at")
"""What a row says; a copy has the same."""


def entry_hash(entry: AuditEntry, *, position: int | None = None) -> bytes:
    """Return the hash that a row of the audit database must have, at its position or another.

    It covers every column but `id`, which is the database's own and orders nothing.
    """
    return _keyed(
        "entry",
        _hex(entry.previous_hash),
        entry.position if position is None else position,
        *(getattr(entry, name) for name in CONTENT),
        entry.shipped_at,
    )


def is_genuine(entry: AuditEntry, *, position: int | None = None) -> bool:
    """Say whether whoever wrote the row, with this content, had AUDIT_KEY."""
    found = bytes(entry.hash or b"")
    return hmac.compare_digest(found, entry_hash(entry, position=position))


def place(entry: AuditEntry, *, position: int, previous_hash: bytes) -> None:
    """Give a row its place in the chain."""
    entry.position = position
    entry.previous_hash = previous_hash
    entry.hash = entry_hash(entry)


def move_head(head: AuditHead, *, count: int, last_hash: bytes) -> None:
    """Let the head name another row as the last one."""
    head.count = count
    head.hash = last_hash
    head.seal = _keyed("head", count, last_hash.hex())
    head.key_mark = _keyed("key")


def has_our_key(head: AuditHead) -> bool:
    """Say whether the chain was made with the AUDIT_KEY of the settings."""
    return hmac.compare_digest(bytes(head.key_mark), _keyed("key"))


def is_sealed(head: AuditHead) -> bool:
    """Say whether nobody without AUDIT_KEY wrote the head."""
    expected = _keyed("head", head.count, bytes(head.hash).hex())
    return hmac.compare_digest(bytes(head.seal), expected)


def says_the_same(one: AuditEntry, other: AuditEntry) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in CONTENT)


def _keyed(*parts: Any) -> bytes:
    """Return HMAC-SHA256 of the parts in one canonical form: JSON, keys sorted, ASCII only."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=_as_text)
    return hmac.new(settings.AUDIT_KEY.encode(), text.encode(), hashlib.sha256).digest()


def _as_text(value: Any) -> str:
    """Times count to the microsecond, as PostgreSQL keeps them, whatever their zone."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value)


def _hex(value: bytes | memoryview | None) -> str | None:
    return None if value is None else bytes(value).hex()
