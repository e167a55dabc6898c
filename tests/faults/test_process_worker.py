"""SIGKILL of the worker at exact moments of a sale. Runs with `script/test --all`."""

import pytest

from tests.e2e.shop import Shop, wait_for
from tests.faults.conftest import Account
from tests.faults.database import Database
from tests.faults.moments import hang_sending, hold_goods, paid_and_unsent
from tests.faults.sales import sell_by_qris

pytestmark = pytest.mark.faults


@pytest.mark.fault("process: worker killed before commit")
def test_a_worker_killed_before_the_commit_sells_once(
    shop: Shop, database: Database, account_for: Account
):
    sale = sell_by_qris(shop, database, "Before")
    with hold_goods(sale) as hold, shop.suspended("scheduler"):
        shop.pay(sale.txn_id)
        waiter = hold.wait_for_waiter()
        assert "catalog_stockitem" in waiter.query
        assert sale.status == "pending", "what the worker wrote is not committed"
        shop.kill("worker")
    account_for(sale, injected=1)
    assert sale.copies() == 1


@pytest.mark.fault("process: worker killed between money and goods")
def test_a_worker_killed_after_the_money_is_noted_and_before_it_is_used_sells_once(
    shop: Shop, database: Database, account_for: Account
):
    """T1 is committed alone, T2 has not begun to write."""
    sale = sell_by_qris(shop, database, "Between")
    query = "SELECT 1 FROM accounts_customer WHERE id = %s FOR NO KEY UPDATE"
    with database.holding(query, [sale.person.id]) as hold, shop.suspended("scheduler"):
        shop.pay(sale.txn_id)
        hold.wait_for_waiter()
        money = "SELECT status, applied_at FROM payments_payment WHERE txn_id = %s"
        assert database.rows(money, [sale.txn_id]) == [("completed", None)]
        shop.kill("worker")
    account_for(sale, injected=1)
    assert sale.copies() == 1


@pytest.mark.fault("process: worker killed after commit")
def test_a_worker_killed_after_the_commit_delivers_once(
    shop: Shop, database: Database, account_for: Account
):
    sale = sell_by_qris(shop, database, "After")
    with paid_and_unsent(sale):
        shop.kill("worker")
    account_for(sale, injected=1)
    assert sale.copies() == 1


@pytest.mark.fault("process: worker killed in the middle of sending")
@pytest.mark.parametrize("is_sent", [False, True], ids=["before Telegram has it", "after"])
def test_a_worker_killed_in_the_middle_of_sending_delivers_at_least_once(
    shop: Shop, database: Database, account_for: Account, is_sent: bool
):
    sale = sell_by_qris(shop, database, "Sending")
    with shop.suspended("scheduler"):
        hanging = hang_sending(sale, after_effect=is_sent)
        shop.pay(sale.txn_id)
        wait_for("the sending hangs", hanging.is_used)
        wait_for("the goods are shown or not", lambda: sale.copies() == is_sent)
        assert sale.message() == ("pending", 1)
        shop.kill("worker")
    database.let_leases_end()
    account_for(sale, injected=hanging.times_used())
    assert sale.copies() == 1 + is_sent
