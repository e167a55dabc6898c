"""The whole way to the goods' price with no mouse."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.chat import ChatPage
from tests.e2e.shop import Shop

pytestmark = pytest.mark.browser
MOST_STEPS = 100


def go_to(chat: ChatPage, target: Locator, key: str = "Tab") -> None:
    """Press a key until the focus is there, as somebody without a mouse must."""
    for _ in range(MOST_STEPS):
        if target.evaluate("element => element === document.activeElement"):
            return
        chat.page.keyboard.press(key)
    pytest.fail(f"the focus does not get to {target} by {key}")


def test_a_chat_is_chosen_started_and_used_by_keyboard_alone(chat: ChatPage, shop: Shop) -> None:
    person = shop.person("Keyboard")
    page = chat.page
    chat.open()
    mine = chat.row_of(person.id)
    expect(mine).to_be_visible()
    go_to(chat, chat.chats.get_by_role("button").filter(has_text="Budi Santoso"))
    go_to(chat, mine, "ArrowDown")
    page.keyboard.press("Enter")
    chat.wait_until_open(person.id)
    start = page.get_by_role("button", name="Start", exact=True)
    expect(start).to_be_visible()
    go_to(chat, start)
    chat.shoot("start")
    page.keyboard.press("Enter")
    chat.wait_for_text("Mau cari apa hari ini?")
    expect(chat.box).to_be_focused()
    page.keyboard.type("105")
    page.keyboard.press("Enter")
    chat.wait_for_text("Jumlah: 1")
    more = chat.button("+")
    go_to(chat, more, "Shift+Tab")
    for quantity in (2, 3):
        page.keyboard.press("Enter")
        chat.wait_for_text(f"Jumlah: {quantity}")
        expect(more).to_be_focused()
    chat.shoot("focus")


def test_commands_are_chosen_by_arrows(chat: ChatPage, shop: Shop) -> None:
    chat.open(shop.person("Arrows").id)
    chat.start()
    chat.box.press_sequentially("/")
    commands = chat.page.get_by_role("listbox", name="Commands")
    expect(commands).to_be_visible()
    names = commands.get_by_role("option").locator("strong").all_inner_texts()
    assert "/stock" in names
    chat.shoot("commands")
    for _ in range(names.index("/stock") + 1):
        chat.box.press("ArrowDown")
    expect(commands.get_by_role("option", selected=True)).to_contain_text("/stock")
    chat.box.press("Enter")
    expect(commands).to_be_hidden()
    expect(chat.log.locator('article[data-from="me"]').last).to_contain_text("/stock")
