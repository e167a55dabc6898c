"""The whole shop as a newcomer starts it: real bot, webhook, worker and scheduler, over HTTP."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.purchases import (
    CHEAP,
    PRODUCT,
    buy_by_qris,
    confirm_balance,
    goods,
    last_call,
    sent_to,
)
from tests.e2e.shop import Person, Shop, free_port, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("servers")]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    shop = Shop(tmp_path_factory.mktemp("shop") / "data")
    try:
        shop.start()
        yield shop
    finally:
        shop.stop()


def test_a_purchase_by_qris_is_delivered(shop: Shop) -> None:
    person = shop.person("Sari")
    txn_id = buy_by_qris(person)
    assert shop.pay(txn_id)["webhook_statuses"] == [200]
    wait_for("the goods", lambda: goods(person))
    assert len(goods(person)) == 1
    assert not [m for m in person.messages() if m["photo"]], "the QR code goes away"


def test_a_purchase_from_the_balance_is_delivered(shop: Shop) -> None:
    persona = Person(shop, 800_000_001)
    before = len(goods(persona))
    confirm = confirm_balance(persona, PRODUCT)
    persona.wait_until_answered(persona.press(confirm, "Ya"))
    wait_for("the goods", lambda: len(goods(persona)) > before)
    assert len(goods(persona)) == before + 1


def test_a_lost_webhook_is_made_up_for_by_polling(shop: Shop) -> None:
    person = shop.person("Dewi")
    shop.pay(buy_by_qris(person), webhook="drop")
    wait_for("the goods", lambda: goods(person), seconds=60)
    assert len(goods(person)) == 1


def test_bot_and_worker_killed_between_payment_and_delivery_deliver_once(shop: Shop) -> None:
    person = shop.person("Putri")
    txn_id = buy_by_qris(person)
    after = last_call(shop)
    # The scheduler delivers too, and whoever is killed is started again at once: keep all down.
    shop.post(
        "/sandbox/api/faults/",
        {"method": "sendMessage", "chat_id": person.id, "error_code": 502, "times": 1},
    )
    pids = {name: shop.pid(name) for name in ("bot", "worker", "scheduler")}
    shop.kill(*pids)
    shop.pay(txn_id)
    shop.kill(*pids)
    assert sent_to(person, after) == []
    wait_for("the goods", lambda: goods(person), seconds=60)
    shop.wait_until_ready()
    assert {name: shop.pid(name) for name in pids}.items().isdisjoint(pids.items())
    assert sent_to(person, after) == ["sendMessage"]
    assert len(goods(person)) == 1


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.02, 0.04, 0.08])
def test_a_bot_killed_in_mid_update_finishes_it_after_its_restart(
    shop: Shop, delay: float
) -> None:
    """The press is paid once and delivered once, wherever in it the bot was killed."""
    persona = Person(shop, 800_000_001)
    before = len(goods(persona))
    confirm = confirm_balance(persona, CHEAP)
    pressed = persona.press(confirm, "Ya")
    time.sleep(delay)
    shop.kill("bot")
    persona.wait_until_answered(pressed, seconds=30)
    wait_for("the goods", lambda: len(goods(persona)) > before)
    shop.wait_until_ready()
    assert len(goods(persona)) == before + 1


def test_a_bot_that_telegram_calls_sells_too(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "data")
    try:
        shop.start(TELEGRAM_MODE="webhook", TELEGRAM_WEBHOOK_PORT=str(free_port()))
        token = "900000000:SANDBOX-demo-token-not-a-secret"
        info = shop.get(f"/sandbox/telegram/bot{token}/getWebhookInfo")["result"]
        assert info["url"].endswith("/telegram/webhook")
        person = shop.person("Wati")
        shop.pay(buy_by_qris(person))
        wait_for("the goods", lambda: goods(person))
        assert len(goods(person)) == 1
    finally:
        shop.stop()


def test_nothing_is_lost_when_everything_is_killed_and_started_again(
    tmp_path: Path,
) -> None:
    shop = Shop(tmp_path / "data dir")
    try:
        shop.start()
        person = shop.person("Ayu")
        txn_id = buy_by_qris(person)
        shop.pay(txn_id, webhook="drop")
        shop.kill_everything()
        shop.start()
        wait_for("the goods", lambda: goods(person), seconds=60)
        assert len(goods(person)) == 1
    finally:
        shop.stop()
