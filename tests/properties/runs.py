"""Runs the state machine so often, so long, from this seed."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.properties.machine import RandomRun
from tests.properties.shop import Shop
from tests.properties.tally import Tally

FIXED = 20261122


def play(shop: Shop, *, runs: int, steps: int, number: int = FIXED) -> None:
    """Raise what the first broken run raises. The same number plays the same runs."""
    machine = type("Run", (RandomRun,), {"shop": shop})
    run_state_machine_as_test(
        seed(number)(machine),
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            # A failure tells its whole story; to shorten it would take as long as the run.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            print_blob=False,
        ),
    )


def open_shop(patch: pytest.MonkeyPatch, django_settings: Any) -> Shop:
    return Shop(patch, django_settings, Tally())
