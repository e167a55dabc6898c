"""Stock on several connections: each lock has a control."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError

from catalog.errors import OutOfStock
from catalog.models import ProductKind, ProductQuerySet, StockItem, StockItemQuerySet, StockState
from catalog.services.stock import ImportReport, import_stock
from orders.models import Order, OrderItem
from payments.models import Payment
from tests.concurrency import at_once, overlap, unlocked
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "audit"])


def two_buyers(world: World, *, undo: bool = False, **product: Any) -> Any:
    """Let a second customer order before the first one's order is committed, or taken back."""
    sale = world.product(**product)
    first, second = [partial(world.qris, world.customer(), sale) for _ in range(2)]
    [result] = overlap(first, second, undo=undo)
    return result


class TestLastItem:
    def test_who_waits_for_it_gets_it_when_the_first_order_is_taken_back(
        self, committed_world: World
    ) -> None:
        second = two_buyers(committed_world, stock=1, undo=True)
        assert isinstance(second, Payment)
        item = StockItem.objects.get()
        assert (item.state, item.order_item) == (StockState.RESERVED, second.order.items.get())

    def test_control_who_does_not_wait_is_refused_what_is_free_a_moment_later(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lock = StockItemQuerySet.lock
        monkeypatch.setattr(
            StockItemQuerySet, "lock", lambda rows, **_options: lock(rows, skip_locked=True)
        )
        second = two_buyers(committed_world, stock=1, undo=True)
        assert isinstance(second, OutOfStock)
        assert StockItem.objects.get().state == StockState.AVAILABLE

    def test_who_waits_for_it_is_refused_when_the_first_order_stays(
        self, committed_world: World
    ) -> None:
        second = two_buyers(committed_world, stock=1)
        assert isinstance(second, OutOfStock)
        assert (second.wanted, second.available) == (1, 0)
        assert Order.objects.count() == 1


class TestQuota:
    def test_the_last_copy_of_shared_goods_is_promised_once(self, committed_world: World) -> None:
        second = two_buyers(committed_world, kind=ProductKind.SHARED, quota=1)
        assert isinstance(second, OutOfStock)
        assert OrderItem.objects.filter(shared_item__isnull=False).count() == 1

    def test_control_without_the_products_lock_it_is_promised_twice(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ProductQuerySet, "lock", unlocked)
        two_buyers(committed_world, kind=ProductKind.SHARED, quota=1)
        assert OrderItem.objects.filter(shared_item__isnull=False).count() == 2

    def test_ten_buyers_of_three_copies(self, committed_world: World) -> None:
        world = committed_world
        product = world.product(kind=ProductKind.SHARED, quota=3)
        results = at_once([partial(world.qris, world.customer(), product) for _ in range(10)])
        kinds = Counter(type(result) for result in results)
        assert kinds == Counter({Payment: 3, OutOfStock: 7})
        assert OrderItem.objects.filter(shared_item__isnull=False).count() == 3


class TestImport:
    def two_imports(self, world: World) -> Any:
        """Import again what another import, not committed yet, contains as well."""
        product = world.product(stock=0)
        first, second = [
            partial(
                import_stock,
                product_id=product.pk,
                contents=contents,
                actor="test",
                now=world.now,
            )
            for contents in (["one", "two"], ["two", "three", "one"])
        ]
        [result] = overlap(first, second)
        return result

    def test_the_second_waits_and_skips_what_the_first_brought(
        self, committed_world: World
    ) -> None:
        report = self.two_imports(committed_world)
        assert isinstance(report, ImportReport)
        assert (report.imported, report.duplicates) == (1, (1, 3))
        assert StockItem.objects.count() == 3

    def test_control_without_the_products_lock_a_constraint_refuses_the_second(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ProductQuerySet, "lock", unlocked)
        assert isinstance(self.two_imports(committed_world), IntegrityError)
        assert StockItem.objects.count() == 2

    def test_the_same_file_of_accounts_sent_five_times_at_once_is_stored_once(
        self, committed_world: World
    ) -> None:
        world = committed_world
        product = world.product(stock=0)
        contents = [f"account{n}" for n in range(20)]
        importing = partial(
            import_stock, product_id=product.pk, contents=contents, actor="test", now=world.now
        )
        reports = at_once([importing] * 5)
        assert sorted(report.imported for report in reports) == [0, 0, 0, 0, 20]
        assert {report.duplicates for report in reports} == {(), tuple(range(1, 21))}
        assert product.stock.count() == 20


def test_crossed_orders_of_two_customers_and_two_products_do_not_deadlock(
    committed_world: World,
) -> None:
    world = committed_world
    customers = [world.customer(balance=400_000) for _ in range(2)]
    products = [world.product(stock=8) for _ in range(2)]
    works: list[Callable[[], Order]] = []
    for turn in range(16):
        customer, product = customers[turn % 2], products[turn // 2 % 2]
        works.append(partial(world.paid, customer, product))
    results = at_once(works)
    assert {type(result) for result in results} == {Order}
    assert StockItem.objects.filter(state=StockState.SOLD).count() == 16
    for customer in customers:
        customer.refresh_from_db()
        assert customer.account_balance == 0
