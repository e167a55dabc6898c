"""The gateway's limits are kept over all threads and processes; the control runs without turns."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from payments import gateways
from payments.gateways import get_gateway
from payments.gateways.base import (
    GatewayBusy,
    GatewayRateLimited,
    GatewayUnavailable,
    RetryPolicy,
)
from payments.gateways.turns import HOLD, MOST_WAIT, SECOND, take_turn
from payments.models import GatewaySilence, GatewayTurn, Payment, PaymentStatus
from payments.services.health import call_gateway
from payments.services.opening import open_payment
from sandbox.pakasir import limits
from tests.bank import Bank
from tests.concurrency import at_once
from tests.payments.steps import kinds, status_of
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "audit"])


@pytest.fixture
def limited(settings: Any) -> None:
    settings.PAKASIR_CALLS_PER_SECOND = 2


@pytest.fixture
def strict_bank(bank: Bank, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Bank:
    """The stand-in with its own limits on, and an adapter that never retries."""
    settings.SANDBOX_PAKASIR_LIMITS = True
    build = gateways._GATEWAYS["pakasir"]
    patient = lambda: replace(build(), retries=RetryPolicy(tries=1))  # noqa: E731
    monkeypatch.setitem(gateways._GATEWAYS, "pakasir", patient)
    return bank


def refused_calls(answers: list[Any]) -> int:
    return sum(isinstance(each, GatewayRateLimited) for each in answers)


def create(number: int) -> Any:
    return get_gateway().create(order_id=f"order-{number}", amount=Decimal(1000))


@pytest.mark.slow
class TestEightAtOnce:
    @staticmethod
    def patiently(work: Callable[[], Any]) -> Any:
        """Come back when the turn was not near, as the sweep does; a 429 is not waited out."""
        while True:
            try:
                return work()
            except GatewayBusy:
                time.sleep(0.2)

    @pytest.mark.usefixtures("limited", "strict_bank")
    def test_create_at_the_same_moment_without_one_refusal(self) -> None:
        create(0)
        works = [partial(self.patiently, partial(create, number)) for number in range(1, 9)]
        answers = at_once(works)
        assert refused_calls(answers) == 0
        assert len({answer.txn_id for answer in answers}) == 8

    @pytest.mark.usefixtures("limited")
    def test_cancel_at_the_same_moment_without_one_refusal(
        self, strict_bank: Bank, settings: Any
    ) -> None:
        settings.SANDBOX_PAKASIR_LIMITS = False
        txn_ids = [create(number).txn_id for number in range(3)]
        settings.SANDBOX_PAKASIR_LIMITS = True
        cancels = [partial(get_gateway().cancel, txn_id) for txn_id in txn_ids]
        assert at_once([partial(self.patiently, cancel) for cancel in cancels]) == [None] * 3
        assert {each["status"] for each in strict_bank.transactions()} == {"canceled"}

    @pytest.mark.usefixtures("strict_bank")
    def test_control_without_turns_the_gateway_refuses_most(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        moment = timezone.now()
        stopped = SimpleNamespace(now=lambda: moment)  # a busy machine must not spread them out
        monkeypatch.setattr(limits, "timezone", stopped)
        answers = at_once([partial(create, number) for number in range(8)])
        assert refused_calls(answers) == 6


def nobody_waits(_seconds: float) -> None:
    pytest.fail("a place was free")


def take(name: str = "x") -> float:
    """Hold a place for nothing and return how long it was waited for."""
    slept: list[float] = []
    with take_turn(name, slept.append):
        return sum(slept)


def fill(name: str = "x") -> None:
    """Use both places of this second."""
    for _ in range(2):
        with take_turn(name, nobody_waits):
            pass


def freed_in() -> list[float]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM free_at - clock_timestamp()) FROM payments_gatewayturn"
        )
        return sorted(float(row[0]) for row in cursor.fetchall())


@pytest.mark.usefixtures("limited")
class TestOneTurn:
    def test_two_may_call_within_a_second(self) -> None:
        fill()
        assert all(0 < seconds <= SECOND for seconds in freed_in())
        with pytest.raises(GatewayBusy):
            take()

    def test_a_place_is_free_again_a_second_after_the_answer(self) -> None:
        fill()
        GatewayTurn.objects.update(free_at=timezone.now() - timedelta(milliseconds=1))
        assert take() == 0

    def test_while_calls_are_on_their_way_nobody_else_calls(self) -> None:
        with take_turn("x", nobody_waits), take_turn("x", nobody_waits):
            assert all(HOLD - 5 < seconds <= HOLD for seconds in freed_in())
            with pytest.raises(GatewayBusy):
                take()

    def test_of_a_process_that_died_the_place_frees_itself(self) -> None:
        GatewayTurn.objects.create(name="x:0", free_at=timezone.now() - timedelta(seconds=1))
        assert take() == 0

    def test_of_each_kind_of_call_and_project_is_its_own(self) -> None:
        fill("pakasir:create:a")
        assert take("pakasir:cancel:a") == take("pakasir:create:b") == 0

    def test_that_is_not_free_soon_changes_nothing(self) -> None:
        fill()
        before = list(GatewayTurn.objects.order_by("pk").values())
        with pytest.raises(GatewayBusy) as refusal:
            take()
        assert refusal.value.retry_after == MOST_WAIT
        assert list(GatewayTurn.objects.order_by("pk").values()) == before

    def test_after_a_clock_that_was_set_back_is_free(self) -> None:
        fill()
        GatewayTurn.objects.update(free_at=timezone.now() + timedelta(hours=1))
        assert take() == 0

    def test_is_never_taken_in_a_transaction_that_would_keep_the_row(self) -> None:
        with pytest.raises(RuntimeError), transaction.atomic():
            take()
        assert not GatewayTurn.objects.exists()


class TestWaiting:
    def policy(self, slept: list[float], **changes: Any) -> RetryPolicy:
        return RetryPolicy(sleep=slept.append, elapsed=lambda: sum(slept), **changes)

    def test_every_try_takes_a_turn_of_its_own(self) -> None:
        told: list[str] = []

        def call(_seconds: float) -> None:
            told.append("call")
            raise GatewayUnavailable("timeout")

        @contextmanager
        def turn(_sleep: Any) -> Iterator[None]:
            told.append("turn")
            yield

        with pytest.raises(GatewayUnavailable):
            self.policy([]).run(call, turn=turn)
        assert told == ["turn", "call"] * 3

    def test_nothing_is_sent_when_the_deadline_passes_before_the_turn(self) -> None:
        slept: list[float] = []
        started = timezone.now()

        @contextmanager
        def late(sleep: Any) -> Iterator[None]:
            sleep(1.5)
            yield

        policy = self.policy(slept, tries=1, now=lambda: started + timedelta(seconds=sum(slept)))
        deadline = started + timedelta(seconds=1)
        with pytest.raises(GatewayUnavailable):
            policy.run(lambda _left: pytest.fail("it was sent"), deadline=deadline, turn=late)
        assert slept == [1.5]

    def test_a_turn_that_is_not_free_soon_is_not_tried_again(self) -> None:
        def far(_sleep: Any) -> Any:
            raise GatewayBusy(2.0)

        slept: list[float] = []
        with pytest.raises(GatewayBusy):
            self.policy(slept).run(lambda _seconds: None, turn=far)
        assert slept == []


def busy(_gateway: Any) -> Any:
    raise GatewayBusy(2.5)


def silent(_gateway: Any) -> Any:
    raise GatewayUnavailable("timeout")


def test_waiting_for_a_turn_is_no_sign_of_life(committed_world: World) -> None:
    now = committed_world.now
    with pytest.raises(GatewayUnavailable):
        call_gateway("pakasir", silent, now=now)
    before = GatewaySilence.objects.values().get()
    with pytest.raises(GatewayBusy):
        call_gateway("pakasir", busy, now=now)
    assert GatewaySilence.objects.values().get() == before


@pytest.mark.usefixtures("limited")
def test_a_payment_whose_turn_is_far_waits_for_the_sweep_and_nobody_is_told(
    committed_world: World, bank: Bank
) -> None:
    world = committed_world
    customer = world.customer()
    payment = world.qris(customer, world.product())
    fill("pakasir:create:quickcart-demo")
    GatewayTurn.objects.update(free_at=timezone.now() + timedelta(seconds=50))
    open_payment(payment_id=payment.pk, now=world.now)
    assert status_of(payment)[1] == PaymentStatus.CREATING
    assert (bank.transactions(), kinds(customer.pk), payment.attempts) == ([], [], 0)
    assert payment.next_check_at is not None
    assert payment.next_check_at > world.now
    GatewayTurn.objects.all().delete()
    open_payment(payment_id=payment.pk, now=world.later(seconds=3))
    assert Payment.objects.get().status == PaymentStatus.PENDING
