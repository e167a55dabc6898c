"""Redis stopped around a commit, and emptied. Runs with `script/test --all`.

Whoever dies is started again within a second: so that Redis stays away, nobody is meanwhile.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from redis import Redis
from redis.exceptions import RedisError

from quickcart import embedded
from tests.e2e.purchases import buy_by_qris
from tests.e2e.shop import Shop, wait_for
from tests.faults.conftest import Account
from tests.faults.database import Database
from tests.faults.moments import hold_goods, paid_and_unsent
from tests.faults.sales import begin_sale, sell_by_qris

pytestmark = pytest.mark.faults


def redis_of(shop: Shop) -> Redis:
    return Redis.from_url(embedded.urls(shop.data_dir).redis, socket_timeout=2)


def answers(shop: Shop) -> bool:
    try:
        return bool(redis_of(shop).ping())
    except RedisError:
        return False


@contextmanager
def without_redis(shop: Shop) -> Iterator[None]:
    """Kill Redis and keep it away; at the end it must not have come back by itself."""
    with shop.unsupervised():
        shop.kill("valkey")
        wait_for("Redis is gone", lambda: not answers(shop))
        yield
        assert not answers(shop)


@pytest.mark.fault("process: Redis away for a whole purchase")
def test_a_purchase_from_menu_to_goods_needs_no_redis(
    shop: Shop, database: Database, account_for: Account
):
    person = shop.person("Alone")
    sale = begin_sale(database, person)
    with without_redis(shop):
        shop.pay(buy_by_qris(person))
        sale.wait_for_goods()
    account_for(sale, injected=1)
    assert sale.copies() == 1


@pytest.mark.fault("process: Redis stopped before commit")
def test_redis_stopped_before_the_webhook_costs_nothing(
    shop: Shop, database: Database, account_for: Account
):
    sale = sell_by_qris(shop, database, "No queue")
    with without_redis(shop):
        assert shop.pay(sale.txn_id)["webhook_statuses"] == [200]
        sale.wait_for_goods()
    account_for(sale, injected=1)
    assert sale.copies() == 1


@pytest.mark.fault("process: Redis stopped during commit")
def test_redis_stopped_while_the_worker_is_in_its_transaction_costs_nothing(
    shop: Shop, database: Database, account_for: Account
):
    sale = sell_by_qris(shop, database, "Queue goes")
    with ExitStack() as redis_is_away:
        with hold_goods(sale) as hold, shop.suspended("scheduler"):
            shop.pay(sale.txn_id)
            hold.wait_for_waiter()
            redis_is_away.enter_context(without_redis(shop))
        sale.wait_for_goods()
    account_for(sale, injected=1)
    assert sale.copies() == 1


@pytest.mark.fault("process: Redis stopped after commit")
def test_redis_stopped_after_the_commit_costs_nothing(
    shop: Shop, database: Database, account_for: Account
):
    sale = sell_by_qris(shop, database, "Queue gone")
    with paid_and_unsent(sale):
        shop.kill("valkey")
    account_for(sale, injected=1)
    assert sale.copies() == 1


@pytest.mark.fault("process: Redis flushed")
def test_wake_ups_that_are_flushed_after_the_commit_cost_nothing(
    shop: Shop, database: Database, account_for: Account
):
    sale = sell_by_qris(shop, database, "Flushed")
    with paid_and_unsent(sale):
        waiting = redis_of(shop).llen("rq:queue:high")
        redis_of(shop).flushall()
    account_for(sale, injected=int(waiting > 0))
    assert sale.copies() == 1
