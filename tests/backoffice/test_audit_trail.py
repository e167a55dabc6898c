"""The trail in the back office: who by login name, personal values opened, or gone."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.models import LedgerEntry, LedgerKind
from accounts.services.balance import post_entry
from accounts.services.renaming import rename_customer
from audit.models import AuditEntry
from audit.services import forget_audit_key
from catalog.models import StockBatch
from catalog.services.stock import import_stock
from tests.backoffice.pages import actor, body, url, words
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(owner: Client, world: World) -> AuditEntry:
    sari = world.customer(name="Sari")
    rename_customer(
        customer_id=sari.pk, name="Sari Dewi", actor=actor(), source="admin", now=world.now
    )
    return AuditEntry.objects.get()


def pages(owner: Client, entry: AuditEntry) -> list[str]:
    addresses = (url(AuditEntry, "changelist"), url(AuditEntry, "change", entry.pk))
    return [words(owner.get(address)) for address in addresses]


def test_values_about_a_person_are_shown(owner: Client, entry: AuditEntry) -> None:
    in_list, in_full = pages(owner, entry)
    assert "name: Sari → Sari Dewi" in in_list
    assert "&quot;name&quot;: &quot;Sari Dewi&quot;" in in_full
    assert "token" not in in_list + in_full


def test_what_is_forgotten_is_said_to_be(owner: Client, entry: AuditEntry) -> None:
    forget_audit_key(customer_id=int(entry.target.removeprefix("customer:")))
    in_list, in_full = pages(owner, entry)
    assert "name: forgotten → forgotten" in in_list
    assert "&quot;name&quot;: &quot;forgotten&quot;" in in_full


def test_a_value_is_escaped(owner: Client, world: World) -> None:
    sari = world.customer(name="Sari")
    name = "<script>alert(1)</script>"
    rename_customer(customer_id=sari.pk, name=name, actor="x", source="x", now=world.now)
    for page in ("changelist", "change"):
        arguments = [AuditEntry.objects.get().pk] if page == "change" else []
        assert name not in body(owner, url(AuditEntry, page, *arguments))


def test_staff_are_shown_by_the_login_they_have_now(owner: Client, entry: AuditEntry) -> None:
    User.objects.filter(username="owner").update(username="pemilik")
    assert all("staff:pemilik" in page for page in pages(owner, entry))
    entry.refresh_from_db()
    assert entry.actor == actor("pemilik")


@pytest.mark.parametrize(("asked", "is_found"), [("staff:owner", True), ("staff:nobody", False)])
def test_staff_are_found_by_their_login(
    owner: Client, entry: AuditEntry, asked: str, is_found: bool
) -> None:
    page = words(owner.get(url(AuditEntry, "changelist"), {"q": asked}))
    assert ("Rename customer" in page) is is_found


def test_an_upload_is_shown_and_found_by_who_made_it(owner: Client, world: World) -> None:
    product = world.product(stock=0)
    import_stock(product_id=product.pk, contents=["a"], actor=actor(), now=world.now)
    batch = StockBatch.objects.get()
    for address in (url(StockBatch, "changelist"), url(StockBatch, "change", batch.pk)):
        assert "staff:owner" in words(owner.get(address))
    assert "staff:owner" in words(owner.get(url(StockBatch, "changelist"), {"q": "owner"}))
    assert "Batch" not in words(owner.get(url(StockBatch, "changelist"), {"q": "nobody"}))


def test_a_balance_movement_is_shown_by_who_made_it(owner: Client, world: World) -> None:
    post_entry(
        customer_id=world.customer().pk,
        amount=world.product().customer_price,
        kind=LedgerKind.TRANSFER,
        reference="",
        idempotency_key="x",
        actor=actor(),
        now=world.now,
    )
    row = LedgerEntry.objects.get()
    for address in (url(LedgerEntry, "changelist"), url(LedgerEntry, "change", row.pk)):
        assert "staff:owner" in words(owner.get(address))
