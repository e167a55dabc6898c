import json
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from audit.models import AuditEntry
from catalog.errors import ImportRefused, ProductUnavailable
from catalog.models import MOST_CONTENT, Product, ProductKind, StockState
from catalog.selectors import count_stock
from catalog.services.stock import import_file, import_stock
from core.encryption import decrypt
from tests.world import World


def contents(product) -> list[str]:
    return [decrypt(item.content).decode() for item in product.stock.order_by("pk")]


def test_stock_is_encrypted_from_the_first_row_on(world: World) -> None:
    product = world.product(stock=["a@x:secret"])
    assert b"secret" not in bytes(product.stock.get().content)
    assert contents(product) == ["a@x:secret"]


def test_duplicates_are_skipped_and_named_by_position(world: World) -> None:
    product = world.product(stock=["a", "b"])
    report = import_stock(
        product_id=product.pk, contents=["c", "a", " c ", "d"], actor="staff:1", now=world.now
    )
    assert (report.imported, report.duplicates) == (2, (2, 3))
    assert contents(product) == ["a", "b", "c", "d"]
    assert report.batch.imported_count == 2


def test_only_duplicates_make_no_batch(world: World) -> None:
    product = world.product(stock=["a"])
    report = import_stock(product_id=product.pk, contents=["a"], actor="staff:1", now=world.now)
    assert (report.batch, report.imported) == (None, 0)


def test_the_same_content_may_be_sold_in_two_products(world: World) -> None:
    world.product(stock=["a"])
    assert contents(world.product(stock=["a"])) == ["a"]


@pytest.mark.parametrize("bad", ["", "   ", "x" * (MOST_CONTENT + 1)])
def test_one_bad_content_refuses_the_whole_upload(world: World, bad: str) -> None:
    product = world.product(stock=0)
    with pytest.raises(ImportRefused):
        import_stock(product_id=product.pk, contents=["ok", bad], actor="staff:1", now=world.now)
    assert not product.stock.exists()


def test_an_unknown_product_takes_no_stock(world: World) -> None:
    with pytest.raises(ProductUnavailable):
        import_stock(product_id=2**62, contents=["a"], actor="staff:1", now=world.now)


def test_a_new_version_of_shared_goods_replaces_the_old_one(world: World) -> None:
    product = world.product(kind=ProductKind.SHARED)
    import_stock(product_id=product.pk, contents=["v2"], actor="staff:1", now=world.now)
    states = list(product.stock.order_by("pk").values_list("state", flat=True))
    assert states == [StockState.WITHDRAWN, StockState.AVAILABLE]


def test_a_file_product_refuses_text_and_a_text_product_refuses_a_file(world: World) -> None:
    course = world.product(kind=ProductKind.FILE)
    accounts = world.product()
    with pytest.raises(ImportRefused):
        import_stock(product_id=course.pk, contents=["a"], actor="staff:1", now=world.now)
    with pytest.raises(ImportRefused):
        import_file(
            product_id=accounts.pk, data=b"x", file_name="x", actor="staff:1", now=world.now
        )


def test_an_upload_is_audited_without_its_contents(world: World) -> None:
    product = world.product(stock=["a@x:secret"])
    entry = AuditEntry.objects.get(action="import_stock")
    assert entry.target == f"product:{product.pk}"
    assert "secret" not in str(entry.after)


def test_counts_know_unlimited_shared_goods_and_quotas(world: World) -> None:
    accounts = world.product(stock=3)
    empty = world.product(stock=0)
    course = world.product(kind=ProductKind.SHARED)
    limited = world.product(kind=ProductKind.SHARED, quota=2)
    assert count_stock() == {accounts.pk: 3, course.pk: None, limited.pk: 2}
    assert empty.pk not in count_stock()


def test_the_database_refuses_a_reserved_item_without_an_order(world: World) -> None:
    product = world.product(stock=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        product.stock.update(state=StockState.RESERVED)


def plan_of_next_free(product: Product) -> dict[str, Any]:
    """Return the plan of taking three items, with the pages it really touched."""
    rows = product.stock.available().oldest_first().lock(skip_locked=True)
    query = rows.values_list("pk", flat=True)[:3]
    explained = query.explain(format="json", analyze=True, buffers=True, costs=False)
    plan: dict[str, Any] = json.loads(explained)[0]["Plan"]
    return plan


def fill_history(product: Product, rows: int) -> None:
    """Add `rows` items that are gone and as many of another product; renew the statistics."""
    other = Product.objects.exclude(pk=product.pk).get()
    with connection.cursor() as cursor:
        for owner, state in ((product, "withdrawn"), (other, "available")):
            cursor.execute(
                "INSERT INTO catalog_stockitem"
                " (product_id, batch_id, content, fingerprint, file_name, state)"
                " SELECT %s, %s, 'x', decode(md5(n::text), 'hex'), '', %s"
                " FROM generate_series(1, %s) n",
                [owner.pk, owner.batches.first().pk, state, rows],
            )
        cursor.execute("ANALYZE catalog_stockitem")


@pytest.mark.parametrize("rows", [50_000, pytest.param(1_000_000, marks=pytest.mark.thorough)])
def test_taking_the_next_free_item_costs_the_same_however_many_rows_there_are(
    world: World, rows: int
) -> None:
    product = world.product(stock=100)
    world.product(stock=1)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE catalog_stockitem")
    few = plan_of_next_free(product)
    fill_history(product, rows)
    world.fill(product, 100)
    many = plan_of_next_free(product)
    assert "stock_next_available" in str(many)
    assert "Sort" not in str(many)
    assert "Seq Scan" not in str(many)
    pages = {name: plan["Shared Hit Blocks"] for name, plan in (("few", few), ("many", many))}
    assert pages["many"] <= pages["few"] + 5, pages  # a taller index costs a page per level


def test_without_a_key_an_upload_is_refused_and_nothing_is_stored(
    world: World, settings: Any
) -> None:
    product = world.product(kind=ProductKind.SHARED)
    settings.STOCK_KEYS = []
    with pytest.raises(ImportRefused, match="STOCK_KEYS"):
        import_stock(product_id=product.pk, contents=["new"], actor="staff:1", now=world.now)
    assert product.stock.get().state == StockState.AVAILABLE
