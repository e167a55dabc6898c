"""Telegram's limits, kept over all processes: in Redis, and without it."""

import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import redis
from django.conf import settings as shop_settings
from django.utils import timezone

from core.models import OutboxPriority, SendingTurn
from telegram_bot import pace
from telegram_bot.pace import ALL, GROUP, PRIVATE, RESERVED, take_token

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)
ORDER, BROADCAST = OutboxPriority.ORDER, OutboxPriority.BROADCAST


@pytest.fixture(autouse=True)
def outage(monkeypatch: pytest.MonkeyPatch) -> pace._Outage:
    fresh = pace._Outage()
    monkeypatch.setattr(pace, "_outage", fresh)
    return fresh


@pytest.fixture(autouse=True)
def store() -> Iterator[redis.Redis]:
    store = redis.Redis.from_url(shop_settings.REDIS_URL)
    store.flushdb()
    yield store
    store.flushdb()
    store.close()


@pytest.fixture
def born() -> datetime:
    """When the buckets have been known long enough to be full."""
    take_token(chat_id=1, priority=ORDER, now=NOW - timedelta(hours=1))
    return NOW


def take(chat_id: int, at: datetime, priority: int = ORDER) -> float:
    return take_token(chat_id=chat_id, priority=priority, now=at)


def sent_at(chats: Iterator[int], start: datetime, count: int, priority: int = ORDER) -> list[Any]:
    """Take tokens as fast as they come; return when each was taken."""
    moments, at = [], start
    for chat_id in chats:
        while wait := take(chat_id, at, priority):
            at += timedelta(seconds=wait)
        moments.append(at)
        if len(moments) == count:
            break
    return moments


def most_within(moments: list[datetime], seconds: float) -> int:
    """Count the most that fall into a time this long, both its ends among it."""
    span = timedelta(seconds=seconds)
    return max(sum(begin <= each <= begin + span for each in moments) for begin in moments)


def one_chat(chat_id: int) -> Iterator[int]:
    while True:
        yield chat_id


def test_a_private_chat_gets_two_at_once_and_five_in_five_seconds(born: datetime) -> None:
    moments = sent_at(one_chat(7), born, 12)
    assert moments[:3] == [born, born, born + timedelta(seconds=PRIVATE.interval)]
    assert most_within(moments, 5.0) == 5


def test_a_group_gets_twenty_a_minute(born: datetime) -> None:
    moments = sent_at(one_chat(-7), born, 60)
    assert moments[GROUP.burst - 1] == born
    assert most_within(moments, 60.0) == 20


def test_all_chats_together_get_twenty_five_in_a_second(born: datetime) -> None:
    moments = sent_at(iter(range(1000, 2000)), born, 120)
    assert moments[ALL.burst - 1] == born
    assert most_within(moments, 1.0) == 25


def test_a_chat_without_a_token_takes_none_of_all(born: datetime) -> None:
    sent_at(one_chat(7), born, 2)
    for _ in range(50):
        assert take(7, born) == pytest.approx(PRIVATE.interval)
    assert [take(chat, born) for chat in (8, 9, 10)] == [0, 0, 0]


def test_broadcasts_leave_some_of_the_burst_to_orders(born: datetime) -> None:
    chats = iter(range(1000, 2000))
    for _ in range(ALL.burst - RESERVED):
        assert take(next(chats), born, BROADCAST) == 0
    assert take(next(chats), born, BROADCAST) > 0
    for _ in range(RESERVED):
        assert take(next(chats), born, ORDER) == 0
    assert take(next(chats), born, ORDER) > 0


@pytest.mark.parametrize(
    ("chat_id", "most", "seconds"), [(7, 5, 5.0), (-7, 20, 60.0)], ids=["private", "group"]
)
def test_a_flush_in_the_middle_gives_no_chat_a_second_burst(
    born: datetime, store: redis.Redis, chat_id: int, most: int, seconds: float
) -> None:
    moments = sent_at(one_chat(chat_id), born, most // 2)
    store.flushdb()
    moments += sent_at(one_chat(chat_id), moments[-1], most * 2)
    assert most_within(moments, seconds) <= most


def test_a_flush_in_the_middle_gives_all_no_second_burst(
    born: datetime, store: redis.Redis
) -> None:
    chats = iter(range(1000, 2000))
    moments = sent_at(chats, born, 10)
    store.flushdb()
    moments += sent_at(chats, moments[-1], 50)
    assert most_within(moments, 1.0) <= 25


def test_a_clock_that_was_set_back_stops_nothing(born: datetime) -> None:
    sent_at(one_chat(7), born, 2)
    earlier = born - timedelta(days=2)
    assert 0 < take(7, earlier) <= 2 * PRIVATE.interval
    assert take(7, earlier + timedelta(seconds=2 * PRIVATE.interval)) == 0


def test_without_a_time_the_clock_of_redis_counts() -> None:
    assert take_token(chat_id=7, priority=ORDER) == pytest.approx(PRIVATE.interval, abs=0.1)


def test_a_process_begins_the_memory_before_the_first_message(
    settings: Any, store: redis.Redis
) -> None:
    settings.TELEGRAM_PACE = True
    pace.begin.__wrapped__()
    (key,) = store.keys("pace:*")
    assert key.endswith(b":born")
    seconds, microseconds = store.time()
    born = seconds * 1_000_000 + microseconds - int(PRIVATE.burst * PRIVATE.interval * 1_000_000)
    store.set(key, born)
    assert take_token(chat_id=7, priority=ORDER) == 0


def test_what_is_remembered_of_a_chat_goes_away_by_itself(
    born: datetime, store: redis.Redis
) -> None:
    take(-7, born)
    (key,) = (key for key in store.keys("pace:*") if key.endswith(b":-7"))
    assert 0 < store.pttl(key) <= (GROUP.burst * GROUP.interval + 1) * 1000


class TestWithoutRedis:
    @pytest.fixture(autouse=True)
    def no_redis(self, settings: Any) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"

    def test_the_database_paces_more_slowly_and_without_bursts(self) -> None:
        moments = sent_at(one_chat(7), NOW, 5)
        gaps = {later - earlier for earlier, later in pairwise(moments)}
        assert gaps == {timedelta(seconds=PRIVATE.slow)}
        assert moments[0] == NOW + timedelta(seconds=PRIVATE.slow)

    def test_a_group_gets_no_more_than_with_redis(self) -> None:
        assert most_within(sent_at(one_chat(-7), NOW, 40), 60.0) == 16

    def test_all_together_get_one_every_tenth_of_a_second(self) -> None:
        chats = list(range(1000, 1030))
        for chat in chats:
            take(chat, NOW)
        later = NOW + timedelta(seconds=PRIVATE.slow)
        assert most_within(sent_at(iter(chats), later, 30), 1.0) == 11

    def test_a_chat_without_a_turn_takes_none_of_all(self) -> None:
        moments = sent_at(one_chat(7), NOW, 2)
        before = SendingTurn.objects.get(pk="all").free_at
        assert take(7, moments[-1]) > 0
        assert SendingTurn.objects.get(pk="all").free_at == before

    def test_the_outage_is_remembered_for_some_seconds(
        self, settings: Any, outage: pace._Outage
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
            for number in range(5):
                take(number + 1, NOW)
            server.settimeout(0.1)
            server.accept()[0].close()
            with pytest.raises(TimeoutError):
                server.accept()
        assert outage.ends_at > 0

    def test_after_that_redis_paces_again(self, settings: Any, outage: pace._Outage) -> None:
        take(7, NOW)
        settings.REDIS_URL = shop_settings_url
        outage.ends_at = 0
        take(7, NOW)
        assert SendingTurn.objects.get(pk="7").free_at == NOW + timedelta(seconds=PRIVATE.slow)
        assert outage.ends_at == 0


shop_settings_url = shop_settings.REDIS_URL
