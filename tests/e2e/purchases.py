"""What people do in the chat to buy, and what the chat then shows."""

from typing import Any

from tests.e2e.shop import Person, Shop, wait_for

PRODUCT = 101
CHEAP = 124


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
    rows = person.shop.transactions()
    return next(str(row["txn_id"]) for row in rows if row["txn_id"] not in known)


def confirm_balance(person: Person, product: int) -> dict[str, Any]:
    """Let a person go on to the question whether the balance shall pay."""
    person.wait_until_answered(person.press(summary(person, product), "SALDO"))
    return wait_for(
        "the confirmation",
        lambda: next((m for m in reversed(person.messages()) if has_button(m, "Ya")), None),
    )


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
