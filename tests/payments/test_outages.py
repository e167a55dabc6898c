"""Of an outage of the gateway staff hear twice: when it is one, and when it is over."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from core.models import OutboxMessage
from payments.gateways.base import Gateway, GatewayUnauthorized, GatewayUnavailable
from payments.models import GatewaySilence, SilenceQuerySet
from payments.services.health import PROBE_EVERY, call_gateway, gateway_is_down, probe_gateway
from payments.services.outages import (
    CALLS_BEFORE_TOLD,
    LASTS_BEFORE_TOLD,
    REFUSALS_BEFORE_TOLD,
    note_answer,
    remember_silence,
)
from tests.bank import Bank
from tests.concurrency import at_once, overlap, unlocked
from tests.payments.steps import kinds, opened
from tests.world import World


def silences(world: World, count: int, seconds: float = 15) -> None:
    for _ in range(count):
        remember_silence(gateway="pakasir", moment=world.now)
        world.later(seconds=seconds)


def down(world: World) -> None:
    silences(world, CALLS_BEFORE_TOLD)


def refused_key(_gateway: Gateway) -> Any:
    raise GatewayUnauthorized


class TestDown:
    @pytest.mark.parametrize(("calls", "seconds"), [(CALLS_BEFORE_TOLD - 1, 60), (10, 1)])
    def test_a_lost_answer_or_a_hiccup_is_not_told(
        self, world: World, calls: int, seconds: float
    ) -> None:
        silences(world, calls, seconds)
        assert kinds(None) == []

    def test_an_outage_is_told_once_however_long_it_lasts(self, world: World) -> None:
        began = world.now
        silences(world, 20)
        assert kinds(None) == ["staff_gateway_down"]
        assert GatewaySilence.objects.get().told_at == began + timedelta(seconds=30)
        message = OutboxMessage.objects.get()
        assert message.references == {"gateway": "pakasir", "since": began.isoformat()}

    @pytest.mark.django_db(transaction=True)
    def test_many_who_notice_at_once_tell_it_once(self, committed_world: World) -> None:
        world = committed_world
        silences(world, CALLS_BEFORE_TOLD - 1)
        noticing = partial(remember_silence, gateway="pakasir", moment=world.now)
        at_once([noticing] * 8)
        assert kinds(None) == ["staff_gateway_down"]
        assert GatewaySilence.objects.get().calls == CALLS_BEFORE_TOLD + 7


class TestUp:
    def test_who_heard_that_it_is_down_hears_that_it_is_up(self, world: World) -> None:
        began = world.now
        down(world)
        note_answer(gateway="pakasir", now=world.now)
        note_answer(gateway="pakasir", now=world.later(seconds=1))
        assert kinds(None) == ["staff_gateway_down", "staff_gateway_up"]
        until = began + CALLS_BEFORE_TOLD * timedelta(seconds=15)
        assert OutboxMessage.objects.latest("pk").references == {
            "gateway": "pakasir",
            "since": began.isoformat(),
            "until": until.isoformat(),
        }
        assert not GatewaySilence.objects.exists()

    def test_a_silence_nobody_heard_of_ends_quietly(self, world: World) -> None:
        silences(world, CALLS_BEFORE_TOLD - 1)
        note_answer(gateway="pakasir", now=world.now)
        assert kinds(None) == []

    def test_the_next_outage_is_told_anew(self, world: World) -> None:
        for _ in range(2):
            down(world)
            note_answer(gateway="pakasir", now=world.later(minutes=1))
        assert kinds(None) == ["staff_gateway_down", "staff_gateway_up"] * 2

    @pytest.mark.django_db(transaction=True)
    def test_many_who_notice_at_once_tell_it_once(self, committed_world: World) -> None:
        down(committed_world)
        at_once([partial(note_answer, gateway="pakasir", now=committed_world.now)] * 8)
        assert kinds(None) == ["staff_gateway_down", "staff_gateway_up"]

    def answer_beside_the_news(self, world: World) -> list[str]:
        """Let an answer come while the news of the outage is written and not committed."""
        silences(world, CALLS_BEFORE_TOLD - 1)
        overlap(
            partial(remember_silence, gateway="pakasir", moment=world.now),
            partial(note_answer, gateway="pakasir", now=world.now),
        )
        return kinds(None)

    @pytest.mark.django_db(transaction=True)
    def test_an_end_beside_the_news_of_the_outage_is_told_too(
        self, committed_world: World
    ) -> None:
        assert self.answer_beside_the_news(committed_world) == [
            "staff_gateway_down",
            "staff_gateway_up",
        ]

    @pytest.mark.django_db(transaction=True)
    def test_control_without_the_lock_its_end_is_never_told(
        self, committed_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(SilenceQuerySet, "lock", unlocked)
        assert self.answer_beside_the_news(committed_world) == ["staff_gateway_down"]
        assert not GatewaySilence.objects.exists()


class TestProbe:
    def test_a_gateway_that_answers_is_not_asked(self, world: World, bank: Bank) -> None:
        assert not probe_gateway(now=world.now)

    def test_nobody_else_having_called_its_end_is_noticed(self, world: World, bank: Bank) -> None:
        down(world)
        assert probe_gateway(now=world.now)
        assert kinds(None) == ["staff_gateway_down", "staff_gateway_up"]
        assert not gateway_is_down(now=world.now)

    @pytest.mark.parametrize("kind", ["timeout", "500", "html", "empty"])
    def test_while_it_is_silent_it_stays_known_as_down(
        self, world: World, bank: Bank, kind: str
    ) -> None:
        bank.fail("fee", kind, times=1000)
        remember_silence(gateway="pakasir", moment=world.now)
        for _ in range(40):
            probe_gateway(now=world.later(seconds=PROBE_EVERY.total_seconds() + 1))
            assert gateway_is_down(now=world.now)
        assert bank.faults_used() == [40]
        assert kinds(None) == ["staff_gateway_down"]

    def test_it_is_not_asked_more_often_than_needed(self, world: World, bank: Bank) -> None:
        remember_silence(gateway="pakasir", moment=world.now)
        assert not probe_gateway(now=world.later(seconds=PROBE_EVERY.total_seconds() - 1))
        assert GatewaySilence.objects.exists()


class TestRefusals:
    def test_a_refused_key_is_told_once_a_day(self, world: World) -> None:
        for _ in range(3):
            with pytest.raises(GatewayUnauthorized):
                call_gateway("pakasir", refused_key, now=world.now)
        assert kinds(None) == ["staff_gateway_refuses"]
        with pytest.raises(GatewayUnauthorized):
            call_gateway("pakasir", refused_key, now=world.later(days=1))
        assert kinds(None) == ["staff_gateway_refuses"] * 2
        assert not gateway_is_down(now=world.now)

    def test_a_wrong_key_in_the_settings_reaches_staff(
        self, world: World, bank: Bank, settings: Any
    ) -> None:
        settings.PAKASIR_API_KEY = "withdrawn"
        opened(world, world.customer(), world.product())
        assert OutboxMessage.objects.get(kind="staff_gateway_refuses").references == {
            "gateway": "pakasir",
            "why": "key",
        }

    def test_repeated_refusals_to_create_are_told(self, world: World, bank: Bank) -> None:
        product = world.product(stock=REFUSALS_BEFORE_TOLD)
        bank.fail("create", "wrong_amount", times=100)
        for number in range(1, REFUSALS_BEFORE_TOLD + 1):
            opened(world, world.customer(), product)
            told = kinds(None).count("staff_gateway_refuses")
            assert told == (number == REFUSALS_BEFORE_TOLD)

    def test_old_refusals_do_not_count(self, world: World, bank: Bank) -> None:
        product = world.product(stock=REFUSALS_BEFORE_TOLD)
        bank.fail("create", "wrong_amount", times=100)
        for _ in range(REFUSALS_BEFORE_TOLD):
            opened(world, world.customer(), product)
            world.later(minutes=31)
        assert "staff_gateway_refuses" not in kinds(None)


def test_an_outage_shorter_than_its_measure_is_none(world: World) -> None:
    silences(world, CALLS_BEFORE_TOLD, LASTS_BEFORE_TOLD.total_seconds() / CALLS_BEFORE_TOLD)
    with pytest.raises(GatewayUnavailable):
        call_gateway("pakasir", lambda _gateway: None, now=world.now - timedelta(seconds=5))
    assert kinds(None) == []
