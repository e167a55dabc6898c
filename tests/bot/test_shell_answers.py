"""Every pressed button is answered, once and in time, whatever happens behind it."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import OperationalError
from telegram import Update
from telegram.error import NetworkError

from accounts.models import Customer
from telegram_bot import work
from telegram_bot.answers import ANSWER_AFTER
from telegram_bot.application import ThreadRunner, build_application
from telegram_bot.client import bot_id
from telegram_bot.models import ProcessedUpdate
from telegram_bot.processed import claim_update
from telegram_bot.requests import BotRequest, RequestKind
from telegram_bot.screens import NOTICE_ONLY, Button, Screen
from telegram_bot.shell import Shell
from tests.bot.conftest import BotWith
from tests.bot.harness import BotHarness, Chat
from tests.bot.in_process import InProcessRequest

MENU = Screen("Menu", buttons=((Button("Menu", "/menu"),),))


class Script:
    """What the views do: one function, that the test replaces as it goes."""

    def __init__(self, bot_with: BotWith) -> None:
        self.view: Callable[[BotRequest], Screen | None] = lambda request: MENU
        self.seen: list[BotRequest] = []
        self.bot: BotHarness = bot_with(self._dispatch)
        self.sari: Chat = self.bot.person("Sari")
        self.sari.send("/start")
        self.seen.clear()

    def _dispatch(self, request: BotRequest) -> Screen | None:
        self.seen.append(request)
        return self.view(request)

    def answers(self) -> int:
        return self.bot.request.calls.count("answerCallbackQuery")


@pytest.fixture
def script(bot_with: BotWith) -> Script:
    return Script(bot_with)


def test_a_notice_is_the_answer(script: Script) -> None:
    script.view = lambda request: Screen("", notice="Saved ✅", is_alert=True)
    script.sari.press_path("/x")
    assert script.sari.notice == "Saved ✅"
    assert script.sari.callback["show_alert"] is True
    assert script.sari.texts == ["Menu"]


def test_silence_is_an_empty_answer_and_no_message(script: Script) -> None:
    script.view = lambda request: None
    script.sari.press_path("/x")
    assert script.sari.notice == ""
    assert script.sari.texts == ["Menu"]
    assert script.answers() == 1


def test_notice_only_sends_nothing(script: Script) -> None:
    script.view = lambda request: NOTICE_ONLY
    script.sari.press_path("/x")
    assert script.sari.texts == ["Menu"]


@pytest.mark.parametrize("path", ["/../..", "/product/" + "9" * 23, "💥" * 16, "//"])
def test_forged_data_reaches_the_view_as_it_is(script: Script, path: str) -> None:
    script.sari.press_path(path)
    assert script.seen[-1].path == path


def test_an_exception_is_logged_and_told_kindly(
    script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(request: BotRequest) -> Screen:
        raise ZeroDivisionError("the bug")

    script.view = broken
    with caplog.at_level(logging.ERROR, logger="telegram_bot"):
        script.sari.press_path("/x")
    assert len(script.sari.messages) == 2
    assert script.sari.last.buttons[0].path == "/menu"
    record = caplog.records[0]
    assert (record.customer, record.path) == (script.sari.user_id, "/x")  # type: ignore[attr-defined]
    assert record.update == script.seen[-1].update_id  # type: ignore[attr-defined]
    assert "ZeroDivisionError" in caplog.text


def test_the_apology_is_in_the_customers_language(script: Script) -> None:
    script.view = lambda request: 1 / 0  # type: ignore[assignment, return-value]
    Customer.objects.filter(pk=script.sari.user_id).update(language="en")
    script.sari.press_path("/x")
    assert "Sorry" in script.sari.last.text


def test_a_database_that_is_away_is_told_kindly(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **kw: Any) -> None:
        raise OperationalError("connection refused")

    english = script.bot.person("Ann", language_code="en-GB")
    english.send("/start")
    monkeypatch.setattr(work, "person_lock", away)
    monkeypatch.setattr(Customer.objects, "filter", away)
    english.press_path("/x")
    assert "Sorry" in english.last.text


def test_a_screen_telegram_refuses_is_told_kindly(script: Script) -> None:
    script.view = lambda request: Screen("<b>never closed")
    script.sari.press_path("/x")
    assert script.sari.last.buttons[0].path == "/menu"


def test_an_exception_after_the_update_is_not_repeated(script: Script) -> None:
    script.view = lambda request: 1 / 0  # type: ignore[assignment, return-value]
    script.sari.press_unpumped("/x")
    (update,) = script.bot.fetch_updates()
    process(script.bot, update)
    process(script.bot, update)
    assert len(script.seen) == 1


def process(bot: BotHarness, update: Update) -> None:
    async_to_sync(bot.application.process_update)(update)


def test_a_duplicate_gets_an_empty_answer_only(script: Script) -> None:
    script.sari.press_unpumped("/x")
    (update,) = script.bot.fetch_updates()
    process(script.bot, update)
    standing = script.sari.messages
    process(script.bot, update)
    assert len(script.seen) == 1
    assert script.answers() == 2
    assert script.sari.messages == standing


def test_an_update_that_crashed_half_way_is_handled_again(script: Script) -> None:
    script.sari.press_unpumped("/x")
    (update,) = script.bot.fetch_updates()
    now = script.sari.customer.created_at
    assert claim_update(bot_id=bot_id(), update_id=update.update_id, now=now)
    process(script.bot, update)
    assert len(script.seen) == 1
    row = ProcessedUpdate.objects.get(update_id=update.update_id)
    assert row.done_at is not None


def test_update_ids_are_counted_per_bot(script: Script) -> None:
    script.sari.press_unpumped("/x")
    (update,) = script.bot.fetch_updates()
    other = ProcessedUpdate(bot_id=1, update_id=update.update_id)
    other.leased_until = other.done_at = script.sari.customer.created_at
    other.save()
    process(script.bot, update)
    assert len(script.seen) == 1


def test_in_a_group_strangers_are_silence_and_no_customers(script: Script) -> None:
    stranger = script.bot.person("Budi")
    group = script.bot.staff_group(stranger)
    group.send("/start")
    assert script.seen == []
    assert group.messages == []
    assert not Customer.objects.filter(pk=stranger.user_id).exists()


def test_in_a_group_known_people_are_told_apart_from_private(script: Script) -> None:
    group = script.bot.staff_group(script.sari)
    script.view = lambda request: None
    group.send("/start@quickcart_demo_bot p_101")
    request = script.seen[-1]
    assert (request.is_private, request.command, request.text) == (False, "start", "p_101")
    assert request.chat_id == group.id
    group.send("/start@another_bot")
    assert len(script.seen) == 1


def test_commands_text_and_everything_else_are_told_apart(script: Script) -> None:
    script.sari.send("/STOCK  now ")
    script.sari.send("101")
    script.sari.send("", sticker=True)
    kinds = [(r.kind, r.command, r.text) for r in script.seen]
    assert kinds == [
        (RequestKind.COMMAND, "stock", "now"),
        (RequestKind.TEXT, "", "101"),
        (RequestKind.OTHER, "", ""),
    ]


def test_a_caption_is_text_and_may_be_a_command(script: Script) -> None:
    script.sari.send_photo(PNG, caption="/addstock 101|x")
    request = script.seen[-1]
    assert (request.command, request.text) == ("addstock", "101|x")


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8"
    "cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


def test_blocking_the_bot_is_remembered_and_forgotten(script: Script) -> None:
    script.sari.block()
    assert script.sari.customer.blocked_bot_at is not None
    script.sari.unblock()
    assert script.sari.customer.blocked_bot_at is None
    assert script.seen == []


def test_a_customer_found_blocking_while_answered_is_marked(script: Script) -> None:
    script.bot.fault("editMessageText", error_code=403, description="bot was blocked by the user")
    script.sari.press_path("/x")
    assert script.sari.customer.blocked_bot_at is not None


def test_an_inline_query_is_answered_empty(script: Script) -> None:
    asked = script.bot.driver.post(
        "/sandbox/api/inline/", {"from_id": script.sari.user_id, "query": "netflix"}
    )
    script.view = lambda request: None
    script.bot.pump()
    path = f"/sandbox/api/inline/{asked['inline_query_id']}/"
    answer = script.bot.driver.get(path)
    assert answer["answered"]
    assert answer["results"] == []
    assert (script.seen[-1].kind, script.seen[-1].text) == (RequestKind.INLINE, "netflix")


def test_updates_of_unknown_kinds_are_ignored(script: Script) -> None:
    unknown = {"update_id": 5, "something_of_next_year": {"id": 1}}
    edited = {"update_id": 6, "edited_message": {"message_id": 1, "date": 1, "chat": CHAT}}
    for raw in (unknown, edited):
        process(script.bot, Update.de_json(raw, script.bot.application.bot))
    assert script.seen == []


CHAT = {"id": 1, "type": "private"}


def test_an_admin_of_the_settings_becomes_one_with_the_first_update(
    script: Script, settings: Any
) -> None:
    rina = script.bot.person("Rina")
    settings.ADMIN_USER_IDS = [rina.user_id]
    rina.send("/start")
    assert rina.customer.is_admin
    assert script.seen[-1].customer.is_admin


def test_an_answer_that_fails_costs_nothing_else(
    script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    script.bot.request.break_next("answerCallbackQuery", NetworkError("away"), times=2)
    script.view = lambda request: Screen("Next")
    script.sari.press_unpumped("/x")
    script.bot.pump()
    assert script.sari.texts == ["Next"]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


# --- in time: views in threads of their own, so that they can be slow ---------------------------


class Watched(InProcessRequest):
    """Answers everything itself, and tells when a callback was answered."""

    def __init__(self) -> None:
        super().__init__()
        self.answered: list[str] = []
        self.sent: list[str] = []
        self.told = threading.Condition()

    async def do_request(
        self, url: str, method: str, request_data: Any = None, *args: Any, **kw: Any
    ) -> tuple[int, bytes]:
        name = url.rpartition("/")[2]
        fields = request_data.json_parameters if request_data else {}
        with self.told:
            if name == "answerCallbackQuery":
                self.answered.append(fields["callback_query_id"])
            if name in {"sendMessage", "editMessageText"}:
                self.sent.append(fields["text"])
            self.told.notify_all()
        if name == "getMe":
            me = b'{"id": 1, "is_bot": true, "first_name": "B", "username": "b"}'
            return 200, b'{"ok": true, "result": %s}' % me
        if name == "answerCallbackQuery":
            return 200, b'{"ok": true, "result": true}'
        message = b'{"message_id": 9, "date": 1, "chat": {"id": 5, "type": "private"}}'
        return 200, b'{"ok": true, "result": %s}' % message

    def wait_for_answer(self, query_id: str) -> bool:
        with self.told:
            return self.told.wait_for(lambda: query_id in self.answered, timeout=10)


def pressed(number: int, bot: Any, *, person: int = 5) -> Update:
    user = {"id": person, "is_bot": False, "first_name": "S"}
    chat = {"id": person, "type": "private"}
    message = {"message_id": 3, "date": 1, "chat": chat, "text": "x"}
    query = {"id": str(number), "from": user, "chat_instance": "1", "message": message}
    raw = {"update_id": number, "callback_query": {**query, "data": f"/{number}"}}
    update = Update.de_json(raw, bot)
    assert update is not None
    return update


@pytest.fixture
def without_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """The view alone: these tests are about time, and their threads need no rows."""

    def handle(incoming: Any, dispatch: Any) -> Screen | None:
        result: Screen | None = dispatch(incoming)
        return result

    monkeypatch.setattr("telegram_bot.work.handle", handle)


def run(
    request: Watched, dispatch: Callable[[Any], Screen | None], numbers: list[int], **shell: Any
) -> None:
    runner = ThreadRunner(threads=4)
    application = build_application(run=runner, request=request)
    handler = Shell(dispatch=dispatch, run=runner, **shell)

    async def play() -> None:
        async with application:
            context: Any = type("Context", (), {"bot": application.bot})
            tasks = [handler.receive(pressed(n, application.bot), context) for n in numbers]
            await asyncio.gather(*tasks)

    async_to_sync(play)()
    runner.close()


@pytest.mark.usefixtures("without_database")
def test_a_slow_view_is_answered_within_two_seconds() -> None:
    request, waited = Watched(), []

    def slow(incoming: Any) -> Screen:
        started = time.monotonic()
        assert request.wait_for_answer("1")
        waited.append(time.monotonic() - started)
        return Screen("Done")

    run(request, slow, [1])
    assert waited[0] < 2
    assert request.answered == ["1"]
    assert request.sent == ["Done"]
    assert ANSWER_AFTER < 2


@pytest.mark.usefixtures("without_database")
def test_a_button_behind_a_slow_one_is_answered_as_soon() -> None:
    request = Watched()

    def slow(incoming: Any) -> Screen:
        assert request.wait_for_answer("2"), "the second waits in line unanswered"
        return Screen(incoming.path)

    run(request, slow, [1, 2], answer_after=0.05)
    assert sorted(request.answered) == ["1", "2"]
    assert request.sent == ["/1", "/2"]


@pytest.mark.usefixtures("without_database")
def test_a_notice_that_comes_late_becomes_a_message() -> None:
    request = Watched()

    def slow(incoming: Any) -> Screen:
        assert request.wait_for_answer("1")
        return Screen("", notice="Sold <out>", is_alert=True)

    run(request, slow, [1], answer_after=0.05)
    assert request.sent == ["Sold &lt;out&gt;"]


@pytest.mark.usefixtures("without_database")
def test_one_person_cannot_fill_the_queue() -> None:
    request, handled = Watched(), []

    def slow(incoming: Any) -> None:
        assert request.wait_for_answer("40"), "what is dropped is answered at once"
        handled.append(incoming.path)

    run(request, slow, list(range(1, 41)))
    assert handled == [f"/{n}" for n in range(1, 31)]
    assert len(request.answered) == 40
