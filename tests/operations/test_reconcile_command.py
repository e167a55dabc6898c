"""`manage.py reconcile`: the comparison now, for a person or a program."""

import json
from typing import Any

import pytest
from django.core.management import call_command

from operations.management.commands import reconcile
from payments.models import Payment, PaymentStatus
from tests.bank import Bank
from tests.payments.steps import opened, status_of
from tests.world import World

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
HEAD = ["payment", "ours", "gateway", "our", "amount", "its", "amount", "now"]


@pytest.fixture
def payment(world: World, bank: Bank) -> Payment:
    return opened(world, world.customer(), world.product())


def said(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def completed_here_only(payment: Payment, world: World) -> None:
    Payment.objects.filter(pk=payment.pk).update(
        status=PaymentStatus.COMPLETED,
        received_amount=50_000,
        completed_at=world.now,
        applied_at=world.now,
    )


def test_when_all_agree_it_says_so_and_ends_well(
    payment: Payment, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("reconcile")
    summary = "1 compared, 0 differed, 0 still differ, 0 had no answer"
    assert said(capsys) == [summary.split()]


def test_what_it_settles_is_shown_and_is_no_failure(
    payment: Payment, bank: Bank, capsys: pytest.CaptureFixture[str]
) -> None:
    bank.pay(payment, webhook="drop")
    call_command("reconcile")
    head, row, summary = said(capsys)
    assert head == HEAD
    amounts = ["Rp50.000", "Rp50.000"]
    assert row == [payment.reference, "pending", "completed", *amounts, "settled"]
    assert summary[:4] == ["1", "compared,", "1", "differed,"]
    assert status_of(payment) == ("paid", "completed")


def test_what_still_differs_fails(
    payment: Payment, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    completed_here_only(payment, world)
    with pytest.raises(SystemExit) as end:
        call_command("reconcile")
    assert end.value.code == 1
    assert said(capsys)[1][1:3] == ["completed", "pending"]


def test_no_answer_fails_too(
    payment: Payment, bank: Bank, capsys: pytest.CaptureFixture[str]
) -> None:
    bank.fail("status", "500")
    with pytest.raises(SystemExit) as end:
        call_command("reconcile")
    assert end.value.code == 1
    assert said(capsys)[-1][-4:] == ["1", "had", "no", "answer"]


def test_programs_read_json(
    payment: Payment, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    completed_here_only(payment, world)
    with pytest.raises(SystemExit):
        call_command("reconcile", "--json")
    found = json.loads(capsys.readouterr().out)
    assert (found["checked"], found["unanswered"], found["remaining"]) == (1, 0, 1)
    assert found["differences"] == [
        {
            "payment_id": payment.pk,
            "reference": payment.reference,
            "ours": "completed",
            "theirs": "pending",
            "our_amount": "50000",
            "their_amount": "50000",
            "differs": True,
            "remains": True,
        }
    ]


@pytest.mark.parametrize(("arguments", "compared"), [([], 0), (["--hours=60"], 1), (["--all"], 1)])
def test_it_goes_back_as_far_as_it_is_told(
    payment: Payment,
    world: World,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    compared: int,
) -> None:
    past = world.later(hours=-50)
    Payment.objects.update(created_at=past, expires_at=past)
    call_command("reconcile", *arguments)
    assert said(capsys)[-1][0] == str(compared)


def test_beside_the_scheduler_it_waits_for_the_gateways_pause(
    payment: Payment,
    world: World,
    bank: Bank,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The clock of the command is real; its sleep here moves the other's question back."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        Payment.objects.update(last_checked_at=world.later(seconds=-60))

    bank.pay(payment, webhook="drop")
    Payment.objects.update(last_checked_at=world.now)
    monkeypatch.setattr(reconcile.time, "sleep", sleep)
    call_command("reconcile")
    assert slept == [4.0]
    assert said(capsys)[-1][:4] == ["1", "compared,", "1", "differed,"]


def test_hours_and_all_exclude_each_other() -> None:
    arguments: Any = ["--hours=3", "--all"]
    with pytest.raises(Exception, match="not allowed with"):
        call_command("reconcile", *arguments)
