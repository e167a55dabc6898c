"""Screens as they arrive in a chat: edited, replaced, split, remembered."""

import pytest
from django.core.cache import cache
from telegram.error import NetworkError, TimedOut

from telegram_bot import client
from telegram_bot.qr import qr_png
from telegram_bot.requests import BotRequest
from telegram_bot.screens import Button, Document, Photo, Screen
from tests.bot.harness import BotHarness, Chat
from tests.bot.script import BotWith

PICTURE = qr_png("first")
OTHER_PICTURE = qr_png("second")
BACK = ((Button("Back", "/back"),),)


class Shown:
    """A bot whose next screen the test decides."""

    def __init__(self, bot_with: BotWith) -> None:
        self.screen: Screen | None = Screen("Hello", buttons=BACK)
        self.bot: BotHarness = bot_with(self._dispatch)
        self.sari: Chat = self.bot.person("Sari")

    def _dispatch(self, request: BotRequest) -> Screen | None:
        return self.screen

    def first(self, screen: Screen) -> None:
        self.screen = screen
        self.sari.send("anything")

    def then(self, screen: Screen) -> None:
        self.screen = screen
        self.sari.press_path("/next")

    def request_names(self, beginning: str) -> list[str]:
        return [name for name in self.bot.request.calls if name.startswith(beginning)]


@pytest.fixture
def shown(bot_with: BotWith) -> Shown:
    return Shown(bot_with)


def test_a_button_edits_its_message(shown: Shown) -> None:
    shown.first(Screen("One", buttons=BACK))
    shown.then(Screen("Two <b>bold</b>", buttons=((Button("Go", url="https://x.example"),),)))
    assert shown.sari.texts == ["Two bold"]
    assert shown.sari.last.is_edited
    assert shown.sari.last.buttons[0].url == "https://x.example"


def test_a_screen_that_does_not_replace_is_a_new_message(shown: Shown) -> None:
    shown.first(Screen("One"))
    shown.then(Screen("Two", replaces=False))
    assert shown.sari.texts == ["One", "Two"]


def test_the_same_screen_again_is_fine(shown: Shown) -> None:
    shown.first(Screen("One", buttons=BACK))
    before = shown.sari.messages
    shown.then(Screen("One", buttons=BACK))
    assert shown.sari.messages == before
    assert shown.bot.calls("editMessageText")[-1]["error_code"] == 400


def test_photo_over_text_and_text_over_photo(shown: Shown) -> None:
    shown.first(Screen("One", buttons=BACK))
    shown.then(Screen("Card", photo=Photo(PICTURE), buttons=BACK))
    assert [(m.text, bool(m.photo)) for m in shown.sari.messages] == [("Card", True)]
    shown.then(Screen("Text", buttons=BACK))
    assert [(m.text, bool(m.photo)) for m in shown.sari.messages] == [("Text", False)]
    assert shown.request_names("edit") == []  # what Telegram never allows is not tried


def test_photo_over_photo_is_edited_in_place(shown: Shown) -> None:
    shown.first(Screen("Card", photo=Photo(PICTURE), buttons=BACK))
    before = shown.sari.last
    shown.then(Screen("Other", photo=Photo(OTHER_PICTURE), buttons=BACK))
    assert [m.id for m in shown.sari.messages] == [before.id]
    assert shown.sari.last.text == "Other"
    assert shown.sari.last.photo != before.photo


def test_the_same_remembered_photo_gets_a_new_caption_only(shown: Shown) -> None:
    photo = Photo(PICTURE, key="product:1")
    shown.first(Screen("1 pc", photo=photo, buttons=BACK))
    shown.then(Screen("2 pcs", photo=photo, buttons=BACK))
    assert shown.sari.texts == ["2 pcs"]
    assert shown.request_names("edit") == ["editMessageCaption"]


def test_a_remembered_photo_is_not_uploaded_again(shown: Shown) -> None:
    photo = Photo(PICTURE, key="product:1")
    shown.first(Screen("A", photo=photo))
    shown.first(Screen("B", photo=Photo(None, key="product:1")))
    first, second = shown.sari.messages
    assert first.photo == second.photo


def test_a_wrong_file_id_falls_back_to_the_bytes(shown: Shown) -> None:
    shown.first(Screen("A", photo=Photo(PICTURE, file_id="of-another-bot")))
    assert shown.sari.last.photo


def test_a_cache_that_is_away_costs_an_upload_only(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*args: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(type(cache._connections[cache._alias]), "aget", away)  # type: ignore[attr-defined]
    shown.first(Screen("A", photo=Photo(PICTURE, key="product:1")))
    assert shown.sari.last.photo


@pytest.mark.parametrize(("length", "messages"), [(1024, 1), (1025, 2)])
def test_a_card_over_a_captions_length_is_photo_and_text(
    shown: Shown, length: int, messages: int
) -> None:
    # An emoji counts twice, an entity of HTML once.
    text = "🛒&amp;" + "x" * (length - 3)
    shown.first(Screen(f"<b>{text}</b>", photo=Photo(PICTURE), buttons=BACK))
    seen = shown.sari.messages
    assert len(seen) == messages
    assert bool(seen[0].photo)
    assert seen[-1].text == "🛒&" + "x" * (length - 3)
    assert seen[-1].labels == ["Back"]


@pytest.mark.parametrize("length", [4096, 4097])
def test_a_text_over_a_messages_length_is_a_file(shown: Shown, length: int) -> None:
    text = "&lt;a&gt; " + "y" * (length - 4)
    shown.first(Screen(f"<i>{text}</i>", buttons=BACK))
    seen = shown.sari.messages
    if length == 4096:
        assert [m.text for m in seen] == ["<a> " + "y" * 4092]
        return
    note, file = seen
    assert note.text.startswith("<a> yyy")
    assert note.labels == ["Back"]
    assert file.file_name == "message.txt"
    assert shown.sari.file(file).decode() == "<a> " + "y" * 4093


def test_parts_arrive_in_order(shown: Shown) -> None:
    keyboard = Screen("Keys", reply_keyboard=(("1", "2"), ("3",)))
    documents = (Document("goods.txt", b"user:pw", "Your goods"),)
    shown.first(Screen("Menu", buttons=BACK, before=(keyboard,), documents=documents))
    seen = shown.sari.messages
    assert [m.text for m in seen] == ["Keys", "Menu", "Your goods"]
    assert seen[0].keyboard == [["1", "2"], ["3"]]
    assert shown.sari.file(seen[2]) == b"user:pw"


def test_a_sticker_that_fails_does_not_break_the_rest(shown: Shown) -> None:
    shown.first(Screen("Welcome", sticker="no-such-sticker"))
    assert shown.sari.texts == ["Welcome"]
    assert shown.bot.calls("sendSticker")[-1]["error_code"] == 400


def test_a_message_that_is_gone_is_sent_anew(shown: Shown) -> None:
    shown.first(Screen("One", buttons=BACK))
    shown.bot.fault("editMessageText", error_code=400, description="message can't be edited")
    shown.then(Screen("Two", buttons=BACK))
    assert shown.sari.texts == ["Two"]


def test_a_message_that_cannot_be_deleted_stays(shown: Shown) -> None:
    shown.first(Screen("One", buttons=BACK))
    shown.bot.fault("deleteMessage", error_code=400, description="message can't be deleted")
    shown.then(Screen("Card", photo=Photo(PICTURE)))
    assert shown.sari.texts == ["One", "Card"]


@pytest.mark.parametrize("after_effect", [False, True])
def test_an_edit_that_timed_out_is_repeated(shown: Shown, after_effect: bool) -> None:
    shown.first(Screen("One", buttons=BACK))
    shown.bot.request.break_next("editMessageText", TimedOut(), after_effect=after_effect)
    shown.then(Screen("Two", buttons=BACK))
    assert shown.sari.texts == ["Two"]
    assert shown.request_names("edit") == ["editMessageText"] * 2


def test_a_message_that_may_have_arrived_is_not_sent_twice(shown: Shown) -> None:
    shown.bot.request.break_next("sendMessage", TimedOut(), after_effect=True)
    shown.first(Screen("One"))
    assert shown.sari.texts == ["One"]


def test_a_message_that_surely_did_not_arrive_is_sent_again(shown: Shown) -> None:
    error = NetworkError("httpx.ConnectError: connection refused")
    shown.bot.request.break_next("sendMessage", error)
    shown.first(Screen("One"))
    assert shown.sari.texts == ["One"]


def test_a_chat_told_to_wait_gets_its_screen_afterwards(shown: Shown) -> None:
    shown.bot.fault("sendMessage", error_code=429, retry_after=1)
    shown.first(Screen("One"))
    assert shown.sari.texts == ["One"]


@pytest.mark.parametrize(("times", "texts"), [(3, ["One"]), (4, [])])
def test_a_chat_is_waited_for_as_often_as_telegram_asks_up_to_a_limit(
    shown: Shown, monkeypatch: pytest.MonkeyPatch, times: int, texts: list[str]
) -> None:
    async def pass_at_once(seconds: float) -> None:
        waits.append(seconds)

    waits: list[float] = []
    monkeypatch.setattr(client.asyncio, "sleep", pass_at_once)
    monkeypatch.setattr(client.Patience, "most_wait", 3.0)
    shown.bot.fault("sendMessage", error_code=429, retry_after=1, times=times)
    shown.first(Screen("One"))
    assert shown.sari.texts == texts
    assert waits.count(1.0) == 3


def test_a_picture_that_is_refused_leaves_its_text_and_buttons(shown: Shown) -> None:
    shown.bot.fault("sendPhoto", error_code=400, description="IMAGE_PROCESS_FAILED")
    shown.first(Screen("Card", photo=Photo(PICTURE), buttons=BACK))
    assert [(m.text, bool(m.photo)) for m in shown.sari.messages] == [("Card", False)]
    assert shown.sari.last.labels == ["Back"]


def test_one_message_carries_one_keyboard() -> None:
    with pytest.raises(ValueError, match="one keyboard"):
        Screen("x", buttons=BACK, reply_keyboard=(("1",),))


def test_button_data_is_at_most_64_bytes() -> None:
    Button("x", "p" * 64)
    with pytest.raises(ValueError, match="64"):
        Button("x", "é" * 33)
