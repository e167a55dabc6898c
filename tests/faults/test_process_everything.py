"""SIGKILL of everything at once, as when the power goes. Runs with `script/test --all`."""

import pytest

from tests.e2e.shop import Shop, wait_for
from tests.faults.conftest import Account
from tests.faults.database import Database
from tests.faults.moments import hang_sending, hold_goods
from tests.faults.sales import sell_by_qris

pytestmark = pytest.mark.faults


@pytest.mark.fault("process: everything killed before commit")
def test_everything_killed_before_a_commit_sells_once(
    shop: Shop, database: Database, account_for: Account
):
    sale = sell_by_qris(shop, database, "Dark")
    with hold_goods(sale) as hold:
        shop.pay(sale.txn_id)
        hold.wait_for_waiter()
        assert sale.status == "pending"
        shop.kill_everything()
    shop.start()
    account_for(sale, injected=1)
    assert sale.copies() == 1


@pytest.mark.fault("process: everything killed in the middle of sending")
def test_everything_killed_in_the_middle_of_sending_delivers_at_least_once(
    shop: Shop, database: Database, account_for: Account
):
    sale = sell_by_qris(shop, database, "Darker")
    hanging = hang_sending(sale, after_effect=True)
    shop.pay(sale.txn_id)
    wait_for("the sending hangs", hanging.is_used)
    wait_for("Telegram has the goods", sale.copies)
    assert sale.message() == ("pending", 1)
    shop.kill_everything()
    shop.start()
    database.let_leases_end()
    account_for(sale, injected=hanging.times_used())
    assert sale.copies() == 2
