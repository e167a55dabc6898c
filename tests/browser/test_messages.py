"""Whatever a bot can send and a person can answer is shown as the messenger shows it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.bot_api import Bot
from tests.browser.chat import ChatPage
from tests.browser.chromium import both
from tests.browser.watch import Watch
from tests.e2e.shop import Person, Shop

pytestmark = pytest.mark.browser
EVIL = "<img src=x onerror=\"document.title='broken in'\"><b>bold</b>"
PICTURE = Path(__file__).parents[2] / "sandbox/static/sandbox/brand/logo.svg"


@pytest.fixture
def bot(shop: Shop) -> Bot:
    return Bot(shop)


@pytest.fixture
def person(shop: Shop) -> Person:
    person = shop.person("Sinta")
    person.say("/start")
    person.wait_for_text("Mau cari apa")
    return person


@both
def test_formatted_text_pictures_and_files_are_shown(
    chat: ChatPage, bot: Bot, person: Person
) -> None:
    picture = chat.chats.get_by_role("link").first.screenshot()
    chat.open(person.id)
    html = (
        "<b>bold</b> <i>italic</i> <u>under</u> <s>struck</s> <tg-spoiler>secret</tg-spoiler> "
        '<a href="https://example.com/">link</a> <code>copy me</code>\n'
        "<blockquote>quoted words</blockquote><pre>two\nlines</pre>"
    )
    first = bot.call("sendMessage", chat_id=person.id, text=html, parse_mode="HTML")
    message = chat.wait_for_text("bold italic under")
    for tag, words in {
        "b": "bold",
        "i": "italic",
        "u": "under",
        "s": "struck",
        "pre": "two",
    }.items():
        expect(message.locator(f".text {tag}").first).to_contain_text(words)
    expect(message.get_by_role("link", name="link")).to_have_attribute(
        "href", "https://example.com/"
    )
    bot.call(
        "sendPhoto",
        files={"photo": ("picture.png", picture, "image/png")},
        chat_id=person.id,
        caption="A picture",
        reply_parameters={"message_id": first["message_id"]},
    )
    photo = chat.wait_for_text("A picture")
    expect(photo.get_by_role("img")).to_be_visible()
    expect(photo.get_by_role("button", name=re.compile("^Reply to:"))).to_be_visible()
    file = {"document": ("goods.txt", b"one\ntwo\n", "text/plain")}
    bot.call("sendDocument", files=file, chat_id=person.id, caption="A file")
    document = chat.wait_for_text("A file").get_by_role("link", name=re.compile(r"goods\.txt"))
    with chat.page.expect_download() as download:
        document.click()
    assert Path(download.value.path()).read_bytes() == b"one\ntwo\n"
    chat.shoot("all")
    photo.get_by_role("button", name="Enlarge: A picture").click()
    box = chat.page.get_by_role("dialog", name="Picture")
    expect(box).to_be_visible()
    chat.shoot("enlarged")
    chat.page.keyboard.press("Escape")
    expect(box).to_be_hidden()


def test_messages_are_edited_and_deleted_in_place(
    chat: ChatPage, bot: Bot, person: Person
) -> None:
    chat.open(person.id)
    ids = [
        bot.call("sendMessage", chat_id=person.id, text=text)["message_id"]
        for text in ("stays", "changes", "goes")
    ]
    chat.wait_for_text("goes")
    bot.call("editMessageText", chat_id=person.id, message_id=ids[1], text="has changed")
    bot.call("deleteMessage", chat_id=person.id, message_id=ids[2])
    expect(chat.log.locator(f'article[data-id="{ids[1]}"]')).to_contain_text("has changed")
    expect(chat.log.locator(f'article[data-id="{ids[2]}"]')).to_have_count(0)
    expect(chat.log.locator(f'article[data-id="{ids[0]}"]')).to_contain_text("stays")


def test_the_bot_is_seen_typing(chat: ChatPage, bot: Bot, person: Person) -> None:
    chat.open(person.id)
    bot.call("sendChatAction", chat_id=person.id, action="typing")
    expect(chat.status).to_have_text("typing…")
    expect(chat.status).to_have_text("bot", timeout=10_000)


def test_a_person_replies_and_sends_a_photo_and_a_file(
    chat: ChatPage, bot: Bot, person: Person, tmp_path: Path
) -> None:
    picture = tmp_path / "mine.png"
    picture.write_bytes(chat.chats.get_by_role("link").first.screenshot())
    notes = tmp_path / "notes.txt"
    notes.write_text("hello")
    chat.open(person.id)
    bot.call("sendMessage", chat_id=person.id, text="Reply to this")
    chat.wait_for_text("Reply to this").locator(".text").dblclick()
    expect(chat.page.locator("#reply-to")).to_contain_text("Reply to this")
    chat.say("I do")
    mine = chat.wait_for_text("I do")
    expect(mine.get_by_role("button", name="Reply to: Reply to this")).to_be_visible()
    attach = chat.page.get_by_label("Send a photo or a document", exact=True)
    attach.set_input_files(picture)
    expect(chat.log.locator('article[data-from="me"] img.photo')).to_be_visible()
    attach.set_input_files(notes)
    sent = chat.log.locator('article[data-from="me"]').get_by_role("link")
    expect(sent).to_contain_text("notes.txt")
    chat.shoot("sent")


def test_markup_in_names_and_texts_is_shown_and_never_run(
    chat: ChatPage, bot: Bot, shop: Shop, watch: Watch
) -> None:
    evil = shop.post(
        "/sandbox/api/users/", {"first_name": EVIL, "username": "evil", "language_code": "id"}
    )
    person = Person(shop, evil["id"])
    group = shop.post("/sandbox/api/chats/", {"title": EVIL, "member_ids": [person.id]})
    chat.open(person.id)
    person.say(EVIL)
    plain = bot.call("sendMessage", chat_id=person.id, text=f"{EVIL} plain")
    bot.call(
        "sendDocument",
        files={"document": ("<b>x.txt", b"x", "text/plain")},
        chat_id=person.id,
        caption=EVIL,
        reply_parameters={"message_id": plain["message_id"]},
    )
    bot.call(
        "sendMessage",
        chat_id=person.id,
        text='<a href="javascript:alert(1)">run</a>',
        parse_mode="HTML",
        reply_markup={"inline_keyboard": [[{"text": EVIL, "callback_data": EVIL[:40]}]]},
    )
    for text in ("<img src=x><script>alert(1)</script>", '<b onclick="alert(1)">x</b>'):
        refused = bot.try_("sendMessage", chat_id=person.id, text=text, parse_mode="HTML")
        assert refused.status_code in {200, 400}
    button = {"text": "x", "url": "javascript:alert(1)"}
    refused = bot.try_(
        "sendMessage", chat_id=person.id, text="x", reply_markup={"inline_keyboard": [[button]]}
    )
    assert refused.status_code == 400
    shop.post(f"/sandbox/api/chats/{group['id']}/messages/", {"from_id": person.id, "text": EVIL})
    expect(chat.wait_for_text(f"{EVIL} plain")).to_be_visible()
    expect(chat.log.get_by_role("button", name=EVIL, exact=True)).to_be_visible()
    expect(chat.log.get_by_role("link", name="run")).to_have_count(0)
    chat.shoot("shown")
    chat.row_of(group["id"]).click()
    chat.wait_until_open(group["id"])
    chat.wait_for_text(EVIL)
    assert chat.page.locator("[onerror], [onclick], a[href^='javascript' i]").count() == 0
    assert chat.page.locator("main b, nav b").filter(has_text="bold").count() == 0
    assert "broken in" not in chat.page.title()
    chat.shoot("group")
