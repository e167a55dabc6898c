"""SIGKILL of the bot in the middle of an update that buys. Runs with `script/test --all`."""

import pytest

from tests.e2e.shop import Person, Shop, wait_for
from tests.faults.conftest import Account
from tests.faults.database import Database
from tests.faults.moments import hang_sending
from tests.faults.sales import RICH, ask_for_balance

pytestmark = pytest.mark.faults
CUSTOMER = "SELECT 1 FROM accounts_customer WHERE id = %s FOR NO KEY UPDATE"
PRODUCT = "SELECT 1 FROM catalog_product WHERE number = 124 FOR UPDATE"
"""Held like this, a new order waits in its COMMIT, where its foreign keys are checked."""


def wait_until_handled(person: Person) -> None:
    """One person's updates are handled in order: the answer to the next says that all are."""
    said = person.say("/start")

    def answers() -> list[int]:
        found = (m for m in person.messages() if "QuickCart" in (m["text"] or ""))
        return [m["message_id"] for m in found if m["message_id"] > said]

    wait_for("the answer of the bot that was started again", answers, seconds=60)


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
    wait_until_handled(sale.person)
    sale.person.wait_until_answered(pressed)
    account_for(sale, injected=1)
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
    wait_until_handled(sale.person)
    sale.person.wait_until_answered(pressed)
    account_for(sale, injected=hanging.times_used())
    assert sale.copies() == 1
