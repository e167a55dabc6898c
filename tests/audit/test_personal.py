"""Values about a person: under a key of theirs, gone with it, and the chain stays whole."""

from functools import partial
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import IntegrityError
from django.db.models import QuerySet

from audit.models import AuditEntry, PersonalKey
from audit.personal import FORGOTTEN, UNREADABLE, Changes, open_changes
from audit.services import Personal, conceal, forget_audit_key
from operations.rotation import rotate_keys
from tests.audit.steps import entry, found, ship_all, shipped
from tests.concurrency import overlap

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
SARI, BUDI = "customer:700000001", "customer:700000002"


def renamed(owner: str = SARI, before: str = "Sari", after: str = "Sari Dewi") -> AuditEntry:
    changes = conceal(({"name": before}, {"name": after}), owner=owner, names={"name"})
    return entry(owner, changes=changes)


def opened(row: AuditEntry) -> Changes:
    [changes] = open_changes([AuditEntry.objects.get(pk=row.pk)])
    return changes


def test_a_personal_value_is_in_clear_in_neither_database() -> None:
    row = renamed()
    ship_all()
    for stored in (AuditEntry.objects.get(), shipped().get()):
        text = f"{stored.before}{stored.after}"
        assert "Sari" not in text
        assert stored.after is not None
        assert stored.after["name"]["personal"] == SARI
    assert opened(row) == ({"name": "Sari"}, {"name": "Sari Dewi"})


def test_the_key_itself_is_encrypted() -> None:
    renamed()
    with pytest.raises(ValueError, match="Fernet key"):
        Fernet(bytes(PersonalKey.objects.get().wrapped))


def test_what_is_empty_or_no_value_of_a_person_stays_readable() -> None:
    changes: Changes = ({"name": "", "is_admin": False}, {"name": None, "is_admin": True})
    row = entry(changes=conceal(changes, owner=SARI, names={"name"}))
    assert (row.before, row.after) == changes
    assert not PersonalKey.objects.exists()


def test_a_value_of_any_shape_comes_back() -> None:
    row = entry(changes=(None, {"notes": Personal(SARI, ["a", {"b": 1}, None])}))
    assert opened(row) == (None, {"notes": ["a", {"b": 1}, None]})


def test_to_forget_destroys_the_values_and_breaks_no_chain() -> None:
    sari, budi = renamed(), renamed(BUDI, "Budi", "Budi S")
    ship_all()
    assert forget_audit_key(customer_id=700000001)
    assert opened(sari) == ({"name": FORGOTTEN}, {"name": FORGOTTEN})
    assert opened(budi) == ({"name": "Budi"}, {"name": "Budi S"})
    assert found() == []
    assert not forget_audit_key(customer_id=700000001)


def test_a_younger_key_opens_nothing_of_before() -> None:
    before = renamed()
    forget_audit_key(customer_id=700000001)
    after = renamed(after="Sari Baru")
    assert opened(before)[1] == {"name": FORGOTTEN}
    assert opened(after)[1] == {"name": "Sari Baru"}


def test_without_the_wrapping_key_the_value_is_not_shown(settings: Any) -> None:
    row = renamed()
    settings.STOCK_KEYS = [Fernet.generate_key().decode()]
    assert opened(row) == ({"name": UNREADABLE}, {"name": UNREADABLE})


def test_keys_are_wrapped_anew_for_a_new_stock_key(settings: Any) -> None:
    rows = [renamed(f"customer:{number}") for number in range(1, 4)]
    new = Fernet.generate_key().decode()
    settings.STOCK_KEYS = [new, *settings.STOCK_KEYS]
    for _ in rotate_keys():
        pass
    settings.STOCK_KEYS = [new]
    assert {opened(row)[1]["name"] for row in rows} == {"Sari Dewi"}  # type: ignore[index]


@pytest.mark.django_db(transaction=True, databases=["default", "audit"])
class TestFirstUseAtOnce:
    def two(self, *, undo: bool = False) -> list[Any]:
        """Let a second change need the key before the first one's is committed."""
        return overlap(renamed, partial(renamed, before="Ani", after="Ana"), undo=undo)

    def test_both_use_the_one_key(self, transactional_db: Any) -> None:
        self.two()
        assert PersonalKey.objects.count() == 1
        names = {opened(row)[1]["name"] for row in AuditEntry.objects.all()}  # type: ignore[index]
        assert names == {"Sari Dewi", "Ana"}

    def test_a_key_that_is_rolled_back_is_made_by_the_other(self, transactional_db: Any) -> None:
        [second] = self.two(undo=True)
        assert opened(second)[1] == {"name": "Ana"}

    def test_control_without_giving_way_the_second_change_fails(
        self, transactional_db: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        create = QuerySet.bulk_create

        def insist(self: Any, rows: Any, **_options: Any) -> Any:
            return create(self, rows)

        monkeypatch.setattr(QuerySet, "bulk_create", insist)
        [result] = self.two()
        assert isinstance(result, IntegrityError)
