"""Values about a person stand in the audit trail under a key of that person.

Whoever is to be forgotten loses the key: the rows and their chain stay, the values are gone.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from audit.models import AuditEntry, PersonalKey
from core.encryption import DecryptionError, current_key_id, decrypt, encrypt

Values = dict[str, Any]
Changes = tuple[Values | None, Values | None]
"""Before and after; None: it was not there."""
FORGOTTEN = "forgotten"
"""Shown for a value whose key is destroyed."""
UNREADABLE = "cannot be read: STOCK_KEYS lacks a key"
TOKEN = frozenset({"personal", "token"})
"""What a kept value consists of: whose it is, and the value under their key."""


@dataclass(frozen=True)
class Personal:
    """A value about `owner` (`customer:7`, `staff:3`), a direct member of before or after."""

    owner: str
    value: Any


def conceal(changes: Changes, *, owner: str, names: Collection[str]) -> Changes:
    """Mark these values as personal ones of `owner`; what is empty tells nothing and stays."""

    def mark(values: Values | None) -> Values | None:
        return values and {
            name: Personal(owner, value) if name in names and value else value
            for name, value in values.items()
        }

    before, after = changes
    return mark(before), mark(after)


def seal_values(changes: Changes, plain: Callable[[Any], Any]) -> Changes:
    """Put personal values under their owners' keys, made with their first use.

    `plain` turns a value into what JSON holds. Call it in the transaction of the change.
    """
    found = [value for values in changes for value in (values or {}).values()]
    # Sorted: two changes that make the keys of the same people do not wait for each other.
    owners = sorted({value.owner for value in found if isinstance(value, Personal)})
    keys = {owner: _key_of(owner) for owner in owners}

    def seal(value: Any) -> Any:
        if not isinstance(value, Personal):
            return plain(value)
        text = json.dumps(plain(value.value))
        return {
            "personal": value.owner,
            "token": keys[value.owner].encrypt(text.encode()).decode(),
        }

    before, after = changes
    return _each(before, seal), _each(after, seal)


def open_changes(entries: Iterable[AuditEntry]) -> list[Changes]:
    """Return before and after of each entry with its personal values, or FORGOTTEN for them."""
    rows = [(entry.before, entry.after) for entry in entries]
    tokens = [value for row in rows for values in row for value in (values or {}).values()]
    owners = {value["personal"] for value in tokens if _is_token(value)}
    keys = dict(
        PersonalKey.objects.filter(owner__in=owners).values_list("owner", "wrapped").iterator()
    )

    def unseal(value: Any) -> Any:
        return _open(value, keys) if _is_token(value) else value

    return [(_each(before, unseal), _each(after, unseal)) for before, after in rows]


def forget_audit_key(*, customer_id: int) -> bool:
    """Destroy a customer's key; return whether there was one.

    Entries written later make a new key, which opens none of what was written before.
    """
    deleted, _ = PersonalKey.objects.filter(owner=f"customer:{customer_id}").delete()
    return deleted > 0


def _key_of(owner: str) -> Fernet:
    for _ in range(3):
        wrapped = PersonalKey.objects.filter(owner=owner).values_list("wrapped", flat=True).first()
        if wrapped is not None:
            return Fernet(decrypt(wrapped))
        # A peer may be making the same key: ours waits, conflicts, and the next turn reads theirs.
        fresh = PersonalKey(
            owner=owner, wrapped=encrypt(Fernet.generate_key()), key_id=current_key_id()
        )
        PersonalKey.objects.bulk_create([fresh], ignore_conflicts=True)
    raise RuntimeError(f"the key of {owner} is destroyed as often as it is made")


def _open(token: Mapping[str, str], keys: Mapping[str, bytes | memoryview]) -> Any:
    wrapped = keys.get(token["personal"])
    if wrapped is None:
        return FORGOTTEN
    try:
        return json.loads(Fernet(decrypt(wrapped)).decrypt(token["token"].encode()))
    except InvalidToken:
        # It was written under a key that is destroyed; this one is younger.
        return FORGOTTEN
    except DecryptionError:
        return UNREADABLE


def _is_token(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == TOKEN


def _each(values: Values | None, change: Callable[[Any], Any]) -> Values | None:
    return None if values is None else {name: change(value) for name, value in values.items()}
