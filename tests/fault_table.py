"""The table of faults: what was injected, how often, and what it cost. Loaded by `-p`.

A test marked `@pytest.mark.fault("name")` reports with `record_property`: "injected" (from the
stand-ins' logs, or seen in PostgreSQL), "orders", "lost" and "doubled" (from the database). The
properties travel in the reports, so the table is whole with pytest-xdist as well.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

# What must not be missing from the table when all of it was asked for (--fault-table).
REQUIRED = (
    "process: worker killed before commit",
    "process: worker killed between money and goods",
    "process: worker killed after commit",
    "process: worker killed in the middle of sending",
    "process: bot killed in mid-update",
    "process: everything killed before commit",
    "process: everything killed in the middle of sending",
    "process: Redis stopped before commit",
    "process: Redis stopped during commit",
    "process: Redis stopped after commit",
    "process: Redis flushed",
    "process: PostgreSQL connection of the worker terminated",
    "process: PostgreSQL connection of the bot terminated",
    "process: all PostgreSQL connections terminated",
    *(
        f"gateway: {kind} on {call}"
        for kind in ("timeout", "timeout_after_effect", "429", "500", "html", "empty", "slow")
        for call in ("create", "status", "cancel")
    ),
    "gateway: timeout after create, paid before we knew",
    "gateway: webhook before our commit",
    "gateway: webhook lost",
    "gateway: webhook twice",
    "gateway: wrong_amount on create",
    "gateway: wrong_amount on status",
    "gateway: sandbox_flag on create",
    "gateway: sandbox_flag on status",
    "gateway: too little paid",
    "gateway: too much paid",
    "gateway: paid at expiry + 1 s",
    "gateway: paid at expiry + 11 min",
    "gateway: paid at expiry + 23 h",
    "gateway: late money, goods there",
    "gateway: late money, goods gone",
    "gateway: every cancel fails",
    "gateway: paid during cancel",
    "gateway: fee at 500",
    "gateway: fee at 105000",
    "gateway: fee at 105001",
    "gateway: fee at 10000000",
    "telegram: 429 with retry_after",
    "telegram: 403 blocked by the customer",
    "telegram: timeout after effect",
    "telegram: message is not modified",
    "telegram: message too old to delete",
    "telegram: 400 for good",
)
FAULT = "fault"
NUMBERS = ("injected", "orders", "lost", "doubled")


@dataclass
class Row:
    """One fault, all its tests together."""

    fault: str
    injected: int = 0
    orders: int = 0
    lost: int = 0
    doubled: int = 0
    failed: int = 0
    unproved: int = 0

    def add(self, numbers: Mapping[str, int], *, has_passed: bool) -> None:
        for name in NUMBERS:
            setattr(self, name, getattr(self, name) + int(numbers.get(name, 0)))
        self.failed += not has_passed
        self.unproved += has_passed and not numbers.get("injected")

    def problems(self) -> Iterator[str]:
        if self.failed:
            yield f"{self.failed} failed"
        if self.unproved:
            yield f"{self.unproved} passed without injecting it"
        if self.lost:
            yield f"{self.lost} lost"
        if self.doubled:
            yield f"{self.doubled} doubled"


@dataclass
class FaultTable:
    """Collects the reports of a run and judges them."""

    required: tuple[str, ...] = ()
    rows: dict[str, Row] = field(default_factory=dict)

    def add(self, properties: Iterable[tuple[str, Any]], *, has_passed: bool) -> None:
        """Count one test under each fault it is marked with."""
        reported = list(properties)
        numbers = {name: value for name, value in reported if name in NUMBERS}
        for fault in (str(value) for name, value in reported if name == FAULT):
            self.rows.setdefault(fault, Row(fault)).add(numbers, has_passed=has_passed)

    def problems(self) -> list[str]:
        found = [f"{row.fault}: {each}" for row in self.rows.values() for each in row.problems()]
        missing = (name for name in self.required if name not in self.rows)
        return found + [f"{name}: no test ran" for name in missing]

    def lines(self) -> list[str]:
        width = max(map(len, [*self.rows, FAULT]))
        heads = "".join(f"{name:>10}" for name in NUMBERS)
        return [f"{FAULT:<{width}}{heads}"] + [
            f"{row.fault:<{width}}" + "".join(f"{getattr(row, name):>10}" for name in NUMBERS)
            for row in sorted(self.rows.values(), key=lambda row: row.fault)
        ]

    def write(self, path: Path) -> None:
        rows = [asdict(self.rows[name]) for name in sorted(self.rows)]
        path.write_text(json.dumps({"faults": rows, "problems": self.problems()}, indent=2) + "\n")


class Plugin:
    """What pytest tells; one in each process, that of the controller speaks."""

    def __init__(self, config: pytest.Config) -> None:
        is_whole = config.getoption("fault_table") or config.getoption("fault_json")
        self.table = FaultTable(REQUIRED if is_whole else ())
        self.json: Path | None = config.getoption("fault_json")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        names = [str(mark.args[0]) for mark in item.iter_markers(FAULT)]
        item.user_properties += [(FAULT, name) for name in names]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.table.add(report.user_properties, has_passed=report.passed)
        elif report.failed:  # its setup, or what was to be tidied up after it
            faults = [each for each in report.user_properties if each[0] == FAULT]
            self.table.add(faults, has_passed=False)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        is_worker = hasattr(session.config, "workerinput")
        if is_worker or session.config.getoption("collectonly"):
            return
        if self.json is not None:
            self.table.write(self.json)
        if self.table.problems() and session.exitstatus in (
            pytest.ExitCode.OK,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        ):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.table.rows and not self.table.required:
            return
        terminalreporter.section("faults")
        for line in self.table.lines():
            terminalreporter.line(line)
        for problem in self.table.problems():
            terminalreporter.line(problem, red=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faults")
    group.addoption(
        "--fault-table", action="store_true", help="fail when a required fault is missing"
    )
    group.addoption("--fault-json", type=Path, help="as --fault-table, and write it to a file")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Plugin(config), "quickcart-fault-table")
