"""SIGKILL of the bot in the middle of an update that buys. Runs with `script/test --all`."""

import pytest

from tests.e2e.shop import Shop, wait_for
from tests.faults.conftest import Account
from tests.faults.database import Database
from tests.faults.moments import hang_sending
from tests.faults.sales import RICH, ask_for_balance

pytestmark = pytest.mark.faults
CUSTOMER = "SELECT 1 FROM accounts_customer WHERE id = %s FOR NO KEY UPDATE"
PRODUCT = "SELECT 1 FROM catalog_product WHERE number = 124 FOR UPDATE"
"""Held like this, a new order waits in its COMMIT, where its foreign keys are checked."""


@pytest.mark.fault("process: bot killed in mid-update")
@pytest.mark.parametrize(
    ("held", "waits_in"),
    [((CUSTOMER, [RICH]), "accounts_customer"), ((PRODUCT, []), "COMMIT")],
    ids=["before it writes", "in its commit"],
)
def test_a_bot_killed_in_the_transaction_of_an_update_finishes_it_after_its_restart(
    shop: Shop,
    database: Database,
    account_for: Account,
    held: tuple[str, list[int]],
    waits_in: str,
):
    sale, question = ask_for_balance(shop, database)
    with database.holding(*held) as hold:
        pressed = sale.person.press(question, "Ya")
        assert waits_in in hold.wait_for_waiter().query
        shop.kill("bot")
    account_for(sale, injected=1)
    sale.person.wait_until_answered(pressed, seconds=30)
    assert sale.copies() == 1


@pytest.mark.fault("process: bot killed after commit")
def test_a_bot_killed_after_its_commit_sells_once_and_answers_the_button(
    shop: Shop, database: Database, account_for: Account
):
    sale, question = ask_for_balance(shop, database)
    hanging = hang_sending(sale, method="editMessageText", after_effect=False)
    pressed = sale.person.press(question, "Ya")
    wait_for("the answer hangs", hanging.is_used)
    assert sale.status == "paid"
    shop.kill("bot")
    account_for(sale, injected=hanging.times_used())
    sale.person.wait_until_answered(pressed, seconds=30)
    assert sale.copies() == 1
