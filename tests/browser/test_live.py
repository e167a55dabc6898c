"""What happens elsewhere appears by itself, with the stream and without it."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from tests.browser.chat import UNREAD, ChatPage
from tests.browser.watch import Watch
from tests.e2e.shop import Shop

pytestmark = pytest.mark.browser
STREAM = "**/sandbox/live/"


def test_two_pages_on_one_chat_see_each_others_messages(
    chat: ChatPage, make_chat: Callable[[], ChatPage], shop: Shop
) -> None:
    person = shop.person("Twice")
    other = make_chat()
    chat.open(person.id)
    other.open(person.id)
    chat.start()
    other.wait_for_text("Mau cari apa hari ini?")
    other.say("106")
    chat.wait_for_text("Jumlah: 1")
    other.press("+2")
    chat.wait_for_text("Jumlah: 3")
    assert chat.texts() == other.texts()
    before = chat.texts()
    chat.page.reload()
    chat.wait_until_open(person.id)
    chat.wait_for_text("Jumlah: 3")
    assert chat.texts() == before


@pytest.mark.parametrize("cut", ["refused", "broken"])
def test_without_the_stream_the_page_still_catches_up(
    chat: ChatPage, context: BrowserContext, watch: Watch, shop: Shop, cut: str
) -> None:
    watch.expect(r"/sandbox/live/")

    def end(route: Route) -> None:
        route.fulfill(status=503, json={}) if cut == "refused" else route.abort()

    context.route(STREAM, end)
    person = shop.person("Offline")
    chat.page.goto("about:blank")
    chat.page.goto(f"{chat.url}#chat={person.id}")
    expect(chat.page.locator("body.offline")).to_be_attached()
    chat.start()
    person.say("106")
    chat.wait_for_text("Jumlah: 1")
    chat.shoot(cut)
    context.unroute(STREAM)
    expect(chat.page.locator("body:not(.offline)")).to_be_attached(timeout=15_000)
    person.say("105")
    chat.wait_for_text("Spotify")


def test_unread_messages_are_counted_until_they_are_read(chat: ChatPage, shop: Shop) -> None:
    person = shop.person("Unread")
    chat.open(800_000_001)
    row = chat.row_of(person.id)
    expect(row).to_be_visible()
    person.say("/start")
    unread = row.get_by_label(UNREAD)
    expect(unread).to_be_visible()
    expect(chat.page).to_have_title(re.compile(r"^\(\d+\) "))
    row.click()
    chat.wait_until_open(person.id)
    expect(unread).to_have_count(0)
