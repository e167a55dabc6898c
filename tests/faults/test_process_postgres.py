"""PostgreSQL cuts the connections of bot, worker and everybody. Runs with `script/test --all`."""

import pytest

from tests.e2e.shop import Shop
from tests.faults.conftest import Account
from tests.faults.database import Database
from tests.faults.moments import hold_goods
from tests.faults.sales import RICH, ask_for_balance, sell_by_qris

pytestmark = pytest.mark.faults


@pytest.mark.fault("process: PostgreSQL connection of the worker terminated")
def test_a_worker_cut_off_in_its_transaction_sells_once(
    shop: Shop, database: Database, account_for: Account
):
    sale = sell_by_qris(shop, database, "Cut")
    with hold_goods(sale) as hold, shop.suspended("scheduler"):
        shop.pay(sale.txn_id)
        cut = database.terminate(hold.wait_for_waiter())
    account_for(sale, injected=cut)
    assert sale.copies() == 1


@pytest.mark.fault("process: PostgreSQL connection of the bot terminated")
def test_a_bot_cut_off_in_its_transaction_says_sorry_and_sells_once_on_the_next_press(
    shop: Shop, database: Database, account_for: Account
):
    sale, question = ask_for_balance(shop, database)
    query = "SELECT 1 FROM accounts_customer WHERE id = %s FOR NO KEY UPDATE"
    with database.holding(query, [RICH]) as hold:
        pressed = sale.person.press(question, "Ya")
        cut = database.terminate(hold.wait_for_waiter())
    sale.person.wait_for_text("😔")
    sale.person.wait_until_answered(pressed)
    assert sale.tally().orders == 0
    sale.person.press(question, "Ya")
    account_for(sale, injected=cut)
    assert sale.copies() == 1


@pytest.mark.fault("process: all PostgreSQL connections terminated")
def test_a_shop_cut_off_while_it_sells_sells_once(
    shop: Shop, database: Database, account_for: Account
):
    sale = sell_by_qris(shop, database, "All cut")
    with hold_goods(sale) as hold:
        shop.pay(sale.txn_id)
        hold.wait_for_waiter()
        cut = database.terminate_all(but=hold)
        assert cut > 3, "bot, worker, scheduler and web"
    shop.wait_until_ready()
    account_for(sale, injected=cut)
    assert sale.copies() == 1
