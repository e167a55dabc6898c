"""The whole shop as a newcomer starts it: real bot, webhook, worker and scheduler, over HTTP."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.shop import Person, Shop, free_port, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("servers")]
PRODUCT = 101
CHEAP = 124


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    shop = Shop(tmp_path_factory.mktemp("shop") / "data")
    try:
        shop.start()
        yield shop
    finally:
        shop.stop()


def summary(person: Person, product: int = PRODUCT) -> dict[str, Any]:
    """Let a person go from /start to the summary of one unit."""
    person.say("/start")
    person.wait_for_text("QuickCart")
    person.say(str(product))
    card = person.wait_for_text("Stok")
    person.wait_until_answered(person.press(card, "Lanjut ke pembayaran"))
    return wait_for(
        "the summary",
        lambda: next((m for m in reversed(person.messages()) if has_button(m, "QRIS")), None),
    )


def has_button(message: dict[str, Any], label: str) -> bool:
    rows = (message["reply_markup"] or {}).get("inline_keyboard", [])
    return any(label in button["text"] for row in rows for button in row)


def buy_by_qris(person: Person) -> str:
    """Let a person go on to the QR code; return the transaction that asks for the money."""
    known = {row["txn_id"] for row in person.shop.transactions()}
    person.wait_until_answered(person.press(summary(person), "QRIS"))
    wait_for("the QR code", lambda: [m for m in person.messages() if m["photo"]])
    return next(row["txn_id"] for row in person.shop.transactions() if row["txn_id"] not in known)


def goods(person: Person) -> list[dict[str, Any]]:
    """Return every message that ever brought goods to this chat."""
    found = person.shop.get(f"/sandbox/api/chats/{person.id}/messages/?after=0")["messages"]
    return [m for m in found if m["from_bot"] and (m["text"] or "").startswith("🎉")]


def sent_to(person: Person, after: int) -> list[str]:
    """Return the successful calls of the stand-in's log that put a message into this chat."""
    calls = person.shop.get(f"/sandbox/api/calls/?after={after}")["calls"]
    return [
        call["method"]
        for call in calls
        if call["chat_id"] == person.id and call["ok"] and call["method"].startswith("send")
    ]


def last_call(shop: Shop) -> int:
    found: int = shop.get("/sandbox/api/calls/?after=0")["n"]
    return found


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
    persona.wait_until_answered(persona.press(summary(persona), "SALDO"))
    confirm = wait_for(
        "the confirmation",
        lambda: next((m for m in reversed(persona.messages()) if has_button(m, "Ya")), None),
    )
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
    persona.wait_until_answered(persona.press(summary(persona, CHEAP), "SALDO"))
    confirm = wait_for(
        "the confirmation",
        lambda: next((m for m in reversed(persona.messages()) if has_button(m, "Ya")), None),
    )
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
