"""Brings what is encrypted under the first key of STOCK_KEYS, beside a shop that sells.

In order of keys and in small transactions, so that it may be killed at any time and goes on where
it was. Only the content and the name of its key are written: whose row it is by then, and in which
state, is not touched.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import models, transaction
from django.db.models import Count, Func, IntegerField, QuerySet

from audit.models import PersonalKey
from catalog.models import StockItem
from core.encryption import (
    DecryptionError,
    current_key_id,
    known_key_ids,
    open_token,
    reencrypt,
)
from core.ids import short_stock_id

BATCH = 100
BATCH_BYTES = 8 * 1024 * 1024
"""Of contents in memory at once: file goods are large."""


@dataclass(frozen=True)
class EncryptedColumn:
    """A column that holds what core.encryption encrypted, and the one that names the key.

    `name` is how people call a row, by its primary key.
    """

    model: type[models.Model]
    content: str
    key_id: str
    name: Callable[[Any], str]

    @property
    def rows(self) -> QuerySet[Any]:
        return self.model._default_manager.order_by("pk")

    def stale(self) -> QuerySet[Any]:
        """Rows that are not under the first key, as far as is known."""
        return self.rows.exclude(**{self.key_id: current_key_id()})


ENCRYPTED: tuple[EncryptedColumn, ...] = (
    EncryptedColumn(StockItem, content="content", key_id="key_id", name=short_stock_id),
    EncryptedColumn(
        PersonalKey, content="wrapped", key_id="key_id", name=lambda pk: f"personal key {pk}"
    ),
)
"""Everything that is encrypted under STOCK_KEYS; a new table joins by a line here."""


@dataclass(frozen=True)
class Batch:
    """The next rows, under the first key, not yet written.

    `last` is the key of the last of them, None when there was none.
    """

    last: Any
    opened: list[models.Model]
    unopened: list[str]


@dataclass
class Rotation:
    """`unopened` are names of rows that no key opens; they were left as they are."""

    total: int
    rotated: int = 0
    unopened: dict[str, None] = field(default_factory=dict)

    @property
    def done(self) -> int:
        return self.rotated + len(self.unopened)


def rotate_keys(*, is_dry: bool = False) -> Iterator[Rotation]:
    """Do it batch by batch, and yield how far it is after each. Raises NoUsableKey.

    With `is_dry` every row is opened and none is written or locked.
    """
    rotation = Rotation(total=sum(column.stale().count() for column in ENCRYPTED))
    yield rotation
    for column in ENCRYPTED:
        # Rows that a sale holds at this moment are passed over, and waited for at the end.
        for skip_locked in (False,) if is_dry else (True, False):
            yield from _walk(column, rotation, skip_locked=skip_locked, is_dry=is_dry)


def _walk(
    column: EncryptedColumn, rotation: Rotation, *, skip_locked: bool, is_dry: bool
) -> Iterator[Rotation]:
    last = None
    while True:
        with transaction.atomic():
            rows = column.stale() if is_dry else lock(column.stale(), skip_locked=skip_locked)
            batch = prepare_batch(column=column, rows=rows, after=last)
            if not is_dry:
                write_batch(column=column, batch=batch)
        if batch.last is None:
            return
        last = batch.last
        rotation.rotated += len(batch.opened)
        rotation.unopened.update(dict.fromkeys(batch.unopened))
        yield rotation


def lock(rows: QuerySet[Any], *, skip_locked: bool = False) -> QuerySet[Any]:
    """Against another rotation with a newer first key: whoever comes second looks again."""
    return rows.select_for_update(no_key=True, skip_locked=skip_locked, of=("self",))


def prepare_batch(*, column: EncryptedColumn, rows: QuerySet[Any], after: Any = None) -> Batch:
    """Open and encrypt anew what follows the key `after`, in the caller's transaction."""
    keys = _next_keys(rows, column, after)
    opened, unopened = _open(column, keys)
    return Batch(keys[-1] if keys else None, opened, unopened)


def write_batch(*, column: EncryptedColumn, batch: Batch) -> None:
    rows = column.model._default_manager
    rows.bulk_update(batch.opened, [column.content, column.key_id])


def _next_keys(rows: QuerySet[Any], column: EncryptedColumn, after: Any) -> list[Any]:
    """Return the keys of the next rows that fit into memory together, at least one."""
    if after is not None:
        rows = rows.filter(pk__gt=after)
    size = Func(column.content, function="octet_length", output_field=IntegerField())
    keys: list[Any] = []
    left = BATCH_BYTES
    for key, length in rows.values_list("pk", size)[:BATCH]:
        left -= length
        if keys and left < 0:
            break
        keys.append(key)
    return keys


def _open(column: EncryptedColumn, keys: list[Any]) -> tuple[list[models.Model], list[str]]:
    """Return the rows with their content under the first key, and the names of the unopened."""
    opened: list[models.Model] = []
    unopened: list[str] = []
    for row in column.rows.filter(pk__in=keys).only(column.content, column.key_id):
        token = getattr(row, column.content)
        try:
            content, opened_by = open_token(token)
        except DecryptionError:
            unopened.append(column.name(row.pk))
            continue
        if opened_by != current_key_id():
            setattr(row, column.content, reencrypt(content))
        setattr(row, column.key_id, current_key_id())
        opened.append(row)
    return opened, unopened


def count_by_key() -> Counter[str]:
    """Count what is encrypted by the id of its key; an empty id: the key is not known."""
    counts: Counter[str] = Counter()
    for column in ENCRYPTED:
        rows = column.rows.order_by().values_list(column.key_id).annotate(number=Count("pk"))
        counts.update(dict(rows))
    return counts


def removable_keys() -> list[str]:
    """Return the ids of old keys under which nothing is any more; none while some are unknown."""
    counts = count_by_key()
    if counts[""]:
        return []
    return [each for each in known_key_ids()[1:] if not counts[each]]
