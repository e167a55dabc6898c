"""What a customer was asked last: one step at a time, gone after a day, never in the way."""

import logging
import threading
import time
from typing import Any

import pytest
import redis
from django.conf import settings

from telegram_bot import sessions
from telegram_bot.sessions import Session, await_input, clear, get_session


@pytest.fixture
def user() -> int:
    return 987_654_321


def test_nothing_was_asked_at_first(user: int) -> None:
    assert get_session(user) == Session("", {}, 0)


def test_what_was_asked_is_remembered_with_its_data_for_a_day(user: int) -> None:
    assert await_input(user, "voucher_code", {"product_id": 7})
    assert get_session(user) == Session("voucher_code", {"product_id": 7}, 1)
    store = redis.Redis.from_url(settings.REDIS_URL)
    assert 86_390 <= store.ttl(f"session:{user}") <= 86_400
    store.close()


def test_a_new_question_replaces_the_old_one(user: int) -> None:
    await_input(user, "name")
    await_input(user, "email")
    assert get_session(user).awaiting == "email"


def test_a_stale_writer_loses(user: int, caplog: pytest.LogCaptureFixture) -> None:
    await_input(user, "name")
    seen = get_session(user)
    await_input(user, "email")
    with caplog.at_level(logging.INFO, logger="telegram_bot"):
        assert not clear(user, seen=seen)
        assert not await_input(user, "phone", seen=seen)
    assert get_session(user).awaiting == "email"
    assert "stale session writer lost" in caplog.text


def test_who_read_before_it_was_cleared_is_stale(user: int) -> None:
    seen = get_session(user)
    await_input(user, "name")
    clear(user)
    assert not await_input(user, "email", seen=seen)
    assert get_session(user).awaiting == ""


def test_of_two_writers_at_once_one_wins(user: int) -> None:
    seen = get_session(user)
    start = threading.Barrier(8)
    won: list[int] = []

    def write(number: int) -> None:
        start.wait(timeout=10)
        if await_input(user, f"question {number}", seen=seen):
            won.append(number)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert get_session(user) == Session(f"question {won[0]}", {}, 1)


def test_every_transition_is_logged(user: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="telegram_bot"):
        await_input(user, "name")
        clear(user)
    steps = [(r.before, r.awaiting) for r in caplog.records]  # type: ignore[attr-defined]
    assert steps == [("", "name"), ("name", "")]


def test_without_redis_nothing_was_asked_and_nothing_breaks_or_takes_long(
    user: int, settings: Any
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    started = time.monotonic()
    assert get_session(user) == Session()
    assert await_input(user, "name") is False
    assert clear(user) is False
    assert time.monotonic() - started < 1


def test_a_connection_redis_closed_does_not_cost_an_answer(user: int) -> None:
    await_input(user, "name")
    store = redis.Redis.from_url(settings.REDIS_URL)
    store.client_kill_filter(_id=str(sessions._redis().client_id()))
    store.close()
    assert get_session(user).awaiting == "name"
