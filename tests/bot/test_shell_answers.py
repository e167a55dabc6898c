"""Every pressed button is answered, once and in time, whatever happens behind it."""

import logging
from typing import Any

import pytest
from django.db import OperationalError
from telegram.error import NetworkError

from accounts.models import Customer
from telegram_bot import work
from telegram_bot.client import bot_id
from telegram_bot.models import ProcessedUpdate
from telegram_bot.processed import claim_update
from telegram_bot.requests import BotRequest
from telegram_bot.screens import NOTICE_ONLY, Screen
from tests.bot.harness import BotHarness
from tests.bot.script import Script, process


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


def test_an_answer_that_fails_costs_nothing_else(
    script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    script.bot.request.break_next("answerCallbackQuery", NetworkError("away"), times=2)
    script.view = lambda request: Screen("Next")
    script.sari.press_unpumped("/x")
    script.bot.pump()
    assert script.sari.texts == ["Next"]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_an_answer_that_telegram_asks_to_wait_for_is_given_after_the_pause(
    shop_bot: BotHarness,
) -> None:
    sari = shop_bot.person()
    sari.send("/start")
    shop_bot.fault("answerCallbackQuery", error_code=429, retry_after=1, times=1)
    sari.press("Kategori")
    assert sari.callback["answered"]
