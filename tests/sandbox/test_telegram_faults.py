"""Failures on order, and Telegram's limits."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from sandbox.telegram import faults
from sandbox.telegram.models import RecordedCall
from tests.sandbox.bot_api import PREFIX


@pytest.fixture
def chat(telegram):
    return telegram.person()


@pytest.fixture
def naps(monkeypatch):
    slept = []
    monkeypatch.setattr(faults.time, "sleep", slept.append)
    return slept


def send(telegram, chat):
    return telegram.ask("sendMessage", chat_id=chat, text="x")


def test_a_fault_strikes_as_often_as_ordered(telegram, chat):
    order = {"method": "sendMessage", "chat_id": None, "error_code": 429, "retry_after": 3}
    fault = telegram.drive("faults/", **order, times=2, after_effect=False, delay_ms=0)["id"]

    answers = [send(telegram, chat) for _ in range(3)]

    assert [answer["ok"] for answer in answers] == [False, False, True]
    assert answers[0] == {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 3",
        "parameters": {"retry_after": 3},
    }
    (seen,) = telegram.see("faults/")["faults"]
    assert (seen["id"], seen["times"], seen["used"]) == (fault, 2, 2)
    assert len(telegram.messages(chat)) == 1


def test_a_fault_matches_method_and_chat(telegram, chat):
    other = telegram.person()
    telegram.drive("faults/", method="sendMessage", chat_id=chat, error_code=403)

    assert send(telegram, other)["ok"]
    assert telegram.ask("getMe")["ok"]
    assert send(telegram, chat)["description"] == "Forbidden: bot was blocked by the user"


def test_a_fault_without_method_strikes_any_call(telegram):
    telegram.drive("faults/", error_code=502)

    assert telegram.refused("getMe") == "502 Bad Gateway"
    assert telegram.ok("getMe")


def test_a_failure_after_the_effect_leaves_the_effect(telegram, chat):
    start = telegram.see("calls/")["n"]
    telegram.drive("faults/", method="sendMessage", error_code=504, after_effect=True)

    assert send(telegram, chat)["error_code"] == 504

    assert len(telegram.messages(chat)) == 1
    (call,) = telegram.see(f"calls/?after={start}")["calls"]
    assert (call["ok"], call["error_code"]) == (False, 504)


def test_a_delay_alone_is_only_slow(telegram, chat, naps):
    telegram.drive("faults/", method="sendMessage", delay_ms=1500)

    assert send(telegram, chat)["ok"]
    assert naps == [1.5]
    assert send(telegram, chat)["ok"]
    assert naps == [1.5]


def test_a_cut_connection_is_a_bare_504_where_there_is_no_socket(telegram):
    telegram.drive("faults/", method="getMe", error_code=0)

    response = telegram.client.post(PREFIX + "getMe")

    assert (response.status_code, response["Content-Type"]) == (504, "text/plain")


def test_a_cut_connection_gets_no_answer_from_a_server_that_shows_its_socket(telegram):
    class Socket:
        is_shut = False

        def shutdown(self, how):
            self.is_shut = True

    cut = Socket()
    telegram.drive("faults/", method="getMe", error_code=0)

    telegram.client.post(PREFIX + "getMe", **{"gunicorn.socket": cut})

    assert cut.is_shut


def test_one_fault_is_taken_back_and_the_others_stay(telegram, chat):
    first = telegram.drive("faults/", method="sendMessage", error_code=500)["id"]
    other = telegram.drive("faults/", method="sendPhoto", error_code=500)["id"]

    assert telegram.client.delete(f"/sandbox/api/faults/{first}/").json() == {}

    assert [each["id"] for each in telegram.see("faults/")["faults"]] == [other]
    assert send(telegram, chat)["ok"]
    assert telegram.client.delete(f"/sandbox/api/faults/{first}/").status_code == 404


def test_faults_are_cleared(telegram, chat):
    telegram.drive("faults/", error_code=500, times=9)

    assert telegram.client.delete("/sandbox/api/faults/").json() == {}

    assert telegram.see("faults/") == {"faults": []}
    assert send(telegram, chat)["ok"]


@pytest.mark.parametrize(
    "order",
    [
        {"error_code": 200},
        {"method": "sendNothing", "error_code": 500},
        {"error_code": 500, "times": -1},
        {"delay_ms": 999_999_999},
    ],
)
def test_impossible_faults_are_refused(telegram, order):
    assert telegram.drive_refused("faults/", **order)[0] == 400
    assert telegram.see("faults/") == {"faults": []}


@pytest.mark.parametrize("attempt", range(3))
def test_rivals_use_a_fault_exactly_as_often_as_ordered(committed_telegram, attempt):
    telegram = committed_telegram
    chat = telegram.person()
    telegram.drive("faults/", method="sendMessage", error_code=500, times=4)
    barrier = threading.Barrier(8)

    def rival(_):
        barrier.wait()
        try:
            return send(telegram, chat)["ok"]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(rival, range(8)))

    assert answers.count(False) == 4
    ids = [message["message_id"] for message in telegram.messages(chat)]
    assert ids == [1, 2, 3, 4]


def test_limits_are_off_unless_switched_on(telegram, chat):
    assert telegram.see("limits/") == {"on": False}
    assert all(send(telegram, chat)["ok"] for _ in range(40))


def test_a_private_chat_takes_a_burst_and_then_one_a_second(telegram, chat):
    telegram.drive("limits/", on=True)

    answers = [send(telegram, chat) for _ in range(6)]

    assert [answer["ok"] for answer in answers] == [True] * 5 + [False]
    assert answers[-1]["error_code"] == 429
    assert answers[-1]["parameters"]["retry_after"] == 5
    assert send(telegram, telegram.person())["ok"]


def test_a_group_takes_20_a_minute(telegram, chat):
    group = telegram.group(chat)
    telegram.drive("limits/", on=True)

    answers = [send(telegram, group) for _ in range(21)]

    assert [answer["ok"] for answer in answers] == [True] * 20 + [False]
    assert answers[-1]["parameters"]["retry_after"] == 60
    sends = RecordedCall.objects.filter(chat_id=group)
    sends.update(at=sends.first().at - timedelta(seconds=61))
    assert send(telegram, group)["ok"]


def test_all_chats_together_take_30_a_second(telegram):
    people = [telegram.person() for _ in range(31)]
    telegram.drive("limits/", on=True)

    answers = [send(telegram, person)["ok"] for person in people]

    assert answers == [True] * 30 + [False]


def test_edits_and_answers_may_burst(telegram, chat):
    message_id = send(telegram, chat)["result"]["message_id"]
    telegram.drive("limits/", on=True)

    for n in range(10):
        telegram.ok("editMessageText", chat_id=chat, message_id=message_id, text=str(n))


def test_the_switch_goes_back_to_the_setting_with_a_reset(telegram, settings):
    telegram.drive("limits/", on=True)
    telegram.drive("reset/")

    assert telegram.see("limits/") == {"on": False}
    settings.SANDBOX_LIMITS = True
    assert telegram.see("limits/") == {"on": True}
