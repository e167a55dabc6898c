"""Slow views, in threads of their own: every pressed button is answered within two seconds."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from telegram import Update

from telegram_bot.answers import ANSWER_AFTER
from telegram_bot.application import ThreadRunner, build_application
from telegram_bot.screens import Screen
from telegram_bot.shell import Shell
from tests.bot.in_process import InProcessRequest


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
