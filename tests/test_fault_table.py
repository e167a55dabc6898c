"""The table of faults fails for what it must not pass over in silence."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fault_table import REQUIRED, FaultTable

ROOT = Path(__file__).resolve().parent.parent
PASSING = """
import pytest

@pytest.mark.fault("gateway: slow")
@pytest.mark.parametrize("times", [2, 3])
def test_slow(record_property, times):
    for name, number in {"injected": times, "orders": 1, "lost": 0, "doubled": 0}.items():
        record_property(name, number)
"""
SILENT = """
import pytest

@pytest.mark.fault("gateway: never")
def test_never():
    pass
"""


def reported(**numbers: int) -> list[tuple[str, Any]]:
    return [("fault", "a fault"), *numbers.items()]


def test_the_tests_of_a_fault_are_added_up() -> None:
    table = FaultTable()
    table.add(reported(injected=2, orders=1, lost=0, doubled=0), has_passed=True)
    table.add(reported(injected=3, orders=4, lost=0, doubled=0), has_passed=True)
    assert table.lines() == [
        "fault    injected    orders      lost   doubled",
        "a fault         5         5         0         0",
    ]
    assert table.problems() == []


@pytest.mark.parametrize(
    ("numbers", "has_passed", "problem"),
    [
        ({"injected": 0, "orders": 1}, True, "1 passed without injecting it"),
        ({}, True, "1 passed without injecting it"),
        ({"injected": 1, "lost": 2}, True, "2 lost"),
        ({"injected": 1, "doubled": 1}, True, "1 doubled"),
        ({"injected": 1}, False, "1 failed"),
    ],
)
def test_a_row_that_proves_nothing_or_harms_is_a_problem(
    numbers: dict[str, int], has_passed: bool, problem: str
) -> None:
    table = FaultTable()
    table.add(reported(injected=1, orders=1, lost=0, doubled=0), has_passed=True)
    table.add(reported(**numbers), has_passed=has_passed)
    assert table.problems() == [f"a fault: {problem}"]


def test_a_required_fault_without_a_test_is_a_problem() -> None:
    table = FaultTable(required=("a fault", "another"))
    table.add(reported(injected=1), has_passed=True)
    assert table.problems() == ["another: no test ran"]


def test_a_required_fault_is_listed_once() -> None:
    assert len(set(REQUIRED)) == len(REQUIRED)


def run(folder: Path, tests: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(tests)
    plugins = ["-p", "tests.fault_table", "-p", "no:django", "-p", "no:cacheprovider"]
    settings = ["-c", os.devnull, "-o", "markers=fault(name): injects this fault"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *settings, *options, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_run_through_xdist_prints_what_its_tests_reported(tmp_path: Path) -> None:
    done = run(tmp_path, PASSING, "-n", "1")
    assert "gateway: slow         5         2         0         0" in done.stdout
    assert done.returncode == 0


@pytest.mark.slow
def test_a_run_fails_for_a_fault_that_was_never_injected(tmp_path: Path) -> None:
    done = run(tmp_path, SILENT)
    assert "gateway: never: 1 passed without injecting it" in done.stdout
    assert done.returncode == 1


@pytest.mark.slow
def test_a_whole_run_fails_for_what_is_missing_and_writes_it_down(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    done = run(tmp_path, PASSING, f"--fault-json={file}")
    assert done.returncode == 1
    written = json.loads(file.read_text())
    assert written["faults"][0]["injected"] == 5
    missing = [f"{name}: no test ran" for name in REQUIRED if name != "gateway: slow"]
    assert written["problems"] == missing
