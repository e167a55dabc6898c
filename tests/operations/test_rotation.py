"""`manage.py rotate_stock_key`: everything under the first key, nothing else changed."""

from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from catalog.models import ProductKind, StockItem, StockState
from catalog.services.stock import import_stock
from catalog.services.withdrawal import withdraw_batch
from core.encryption import decrypt, encrypt, key_id
from operations import rotation
from operations.rotation import count_by_key, removable_keys, rotate_keys
from orders.goods import goods_of
from tests.world import World

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))
pytestmark = pytest.mark.django_db


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _old_key(settings: Any) -> None:
    settings.STOCK_KEYS = [OLD]


def rotate(*options: str, out: StringIO | None = None) -> str:
    said = out or StringIO()
    call_command("rotate_stock_key", *options, stdout=said)
    return said.getvalue()


def contents() -> list[bytes]:
    return [decrypt(row.content) for row in StockItem.objects.order_by("pk")]


def test_an_upload_names_the_key_it_is_under(world: World) -> None:
    world.product(stock=["a", "b"])
    assert set(StockItem.objects.values_list("key_id", flat=True)) == {key_id(OLD)}


def test_everything_comes_under_the_first_key_and_opens_without_the_old_one(
    world: World, settings: Any
) -> None:
    world.product(stock=["a", "b"])
    world.product(kind=ProductKind.FILE)
    settings.STOCK_KEYS = [NEW, OLD]
    said = rotate()
    settings.STOCK_KEYS = [NEW]
    assert contents() == [b"a", b"b", b"PDF of the course"]
    assert count_by_key() == {key_id(NEW): 3}
    assert said.splitlines() == [
        f"The first key is {key_id(NEW)}.",
        "3 of 3 encrypted under it.",
        f"3 under key {key_id(NEW)}",
        f"Nothing is under key {key_id(OLD)} any more: it may be removed.",
    ]


def test_sold_and_withdrawn_goods_are_rotated_in_their_states(world: World, settings: Any) -> None:
    product = world.product(price=1_000, stock=["sold", "withdrawn"])
    order = world.paid(world.customer(balance=1_000), product)
    withdraw_batch(batch_id=product.batches.get().pk, actor="t", source="t", now=world.now)
    settings.STOCK_KEYS = [NEW, OLD]
    rotate()
    settings.STOCK_KEYS = [NEW]
    assert contents() == [b"sold", b"withdrawn"]
    states = StockItem.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == [StockState.SOLD, StockState.WITHDRAWN]
    assert goods_of(order=order)[0].contents == ["sold"]


def test_duplicates_are_still_found_after_a_rotation(world: World, settings: Any) -> None:
    product = world.product(stock=["a"])
    marks = list(StockItem.objects.values_list("fingerprint", flat=True))
    settings.STOCK_KEYS = [NEW, OLD]
    rotate()
    assert list(StockItem.objects.values_list("fingerprint", flat=True)) == marks
    again = import_stock(product_id=product.pk, contents=["a", "b"], actor="t", now=world.now)
    assert (again.imported, again.duplicates) == (1, (1,))


def test_a_second_run_finds_nothing_to_do(world: World, settings: Any) -> None:
    world.product(stock=["a"])
    settings.STOCK_KEYS = [NEW, OLD]
    rotate()
    before = StockItem.objects.values_list("content", flat=True).get()
    assert "0 of 0 encrypted" in rotate()
    assert StockItem.objects.values_list("content", flat=True).get() == before


def test_it_goes_on_where_it_was_killed(
    world: World, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.product(stock=5)
    monkeypatch.setattr(rotation, "BATCH", 2)
    settings.STOCK_KEYS = [NEW, OLD]
    steps = rotate_keys()
    next(steps)
    assert next(steps).done == 2
    steps.close()  # killed: nothing of it is remembered but what is in the database
    assert count_by_key() == {key_id(NEW): 2, key_id(OLD): 3}
    assert removable_keys() == []
    assert "3 of 3 encrypted" in rotate()
    assert count_by_key() == {key_id(NEW): 5}


def test_large_contents_are_taken_few_at_a_time(
    world: World, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.product(stock=["x" * 3_000, "y" * 3_000, "z"])
    monkeypatch.setattr(rotation, "BATCH_BYTES", 5_000)
    settings.STOCK_KEYS = [NEW, OLD]
    assert [step.rotated for step in map(copy_of, rotate_keys())] == [0, 1, 3]


def copy_of(step: rotation.Rotation) -> rotation.Rotation:
    return rotation.Rotation(step.total, step.rotated)


def test_a_row_of_before_the_keys_were_noted_is_found(world: World, settings: Any) -> None:
    world.product(stock=["a", "b"])
    StockItem.objects.update(key_id="")
    assert removable_keys() == []
    settings.STOCK_KEYS = [NEW, OLD]
    rotate()
    assert count_by_key() == {key_id(NEW): 2}


def test_what_no_key_opens_is_named_and_left_and_the_rest_is_done(
    world: World, settings: Any
) -> None:
    world.product(stock=["a", "b"])
    first = StockItem.objects.order_by("pk")[0]
    settings.STOCK_KEYS = [LOST]
    lost = encrypt(b"gone")
    StockItem.objects.filter(pk=first.pk).update(content=lost, key_id="")
    settings.STOCK_KEYS = [NEW, OLD]
    said = StringIO()
    with pytest.raises(SystemExit) as ended:
        rotate(out=said)
    assert ended.value.code == 1
    assert f"{first.short_id}: no key of STOCK_KEYS opens it" in said.getvalue()
    assert "may be removed" not in said.getvalue()
    first.refresh_from_db()
    assert (bytes(first.content), first.key_id) == (lost, "")
    assert count_by_key() == {key_id(NEW): 1, "": 1}


def test_a_dry_run_opens_everything_and_writes_nothing(world: World, settings: Any) -> None:
    world.product(stock=["a", "b"])
    before = list(StockItem.objects.order_by("pk").values_list("content", "key_id"))
    settings.STOCK_KEYS = [NEW, OLD]
    assert "2 of 2 would be encrypted under it." in rotate("--dry-run")
    assert list(StockItem.objects.order_by("pk").values_list("content", "key_id")) == before
    settings.STOCK_KEYS = [NEW]
    with pytest.raises(SystemExit):
        rotate("--dry-run")


def test_a_terminal_sees_a_bar(world: World, settings: Any) -> None:
    world.product(stock=["a", "b"])
    settings.STOCK_KEYS = [NEW, OLD]
    said = rotate(out=Terminal())
    assert "\r[" + " " * 24 + "] 0 of 2, 0 rows/s, beginning" in said
    assert "\r[" + "#" * 24 + "] 2 of 2, " in said


def test_without_a_key_nothing_is_rotated(world: World, settings: Any) -> None:
    world.product(stock=["a"])
    settings.STOCK_KEYS = []
    with pytest.raises(CommandError, match="STOCK_KEYS is empty"):
        rotate()


def test_nobody_reads_a_key_in_what_it_says(world: World, settings: Any) -> None:
    world.product(stock=["a"])
    settings.STOCK_KEYS = [NEW, OLD]
    said = rotate()
    assert NEW not in said
    assert OLD not in said
