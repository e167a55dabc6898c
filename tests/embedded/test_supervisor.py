"""The supervisor with small programs: restarts, order, signals."""

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from quickcart.local import supervisor
from quickcart.local.supervisor import Program, Supervisor
from tests.local_server import wait_until

# Writes its process id, then lives until a signal; what it does at its end is in the argument.
LIVES = """
import os, pathlib, signal, sys, time
journal, name = pathlib.Path(sys.argv[1]), sys.argv[2]
def say(text):
    with journal.open("a") as file: file.write(f"{name} {text}\\n")
def end(*_):
    say("ends"); os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in name else end)
say("lives")
time.sleep(60)
"""


class Rig:
    """A supervisor whose programs write what they do into one journal."""

    def __init__(self, folder: Path, *, prepare: Callable[[], bool] = lambda: True) -> None:
        self.folder = folder
        self.journal = folder / "journal"
        self.journal.touch()
        self.during: Callable[[], None] = lambda: None
        self.supervisor = Supervisor(prepare=prepare, on_started=self._act)

    def program(self, name: str, command: list[str] | None = None) -> Program:
        lives = [sys.executable, "-c", LIVES, str(self.journal), name]
        return Program(
            name=name,
            command=lambda: command or lives,
            pid_file=self.folder / f"{name}.pid",
            environment=dict(os.environ),
            folder=self.folder,
        )

    def run(self, servers: list[str], services: list[str], during: Callable[[], None]) -> int:
        self.during = during
        self.supervisor.add(
            servers=[self.program(name) for name in servers],
            services=[self.program(name) for name in services],
        )
        self.supervisor.run()
        return int(self.supervisor.returncode or 0)

    def lines(self) -> list[str]:
        return self.journal.read_text().splitlines()

    def wait_for(self, *lines: str) -> None:
        wait_until(lambda: sorted(lines) == sorted(self.lines()), 10, lambda: str(self.lines()))

    def pid(self, name: str) -> int:
        return int((self.folder / f"{name}.pid").read_text())

    def _act(self) -> None:
        try:
            self.during()
        finally:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture(autouse=True)
def _keep_signal_handlers():
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_a_killed_program_is_started_again(rig: Rig):
    def during() -> None:
        rig.wait_for("bot lives")
        os.kill(rig.pid("bot"), signal.SIGKILL)
        rig.wait_for("bot lives", "bot lives")

    assert rig.run([], ["bot"], during) == 128 + signal.SIGTERM
    assert rig.lines() == ["bot lives", "bot lives", "bot ends"]


def test_servers_start_first_and_end_last(rig: Rig):
    rig.run(["postgres"], ["web"], partial(rig.wait_for, "postgres lives", "web lives"))
    assert rig.lines()[-2:] == ["web ends", "postgres ends"]


def test_a_program_that_ignores_the_signal_is_killed(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(supervisor, "PATIENCE_SECONDS", 0.5)
    rig.run([], ["stubborn"], partial(rig.wait_for, "stubborn lives"))
    assert not (rig.folder / "stubborn.pid").exists()


def test_without_a_successful_preparation_no_service_starts(tmp_path: Path):
    rig = Rig(tmp_path, prepare=lambda: False)
    assert rig.run(["postgres"], ["web"], lambda: None) == 1
    assert "web lives" not in rig.lines()


def test_a_program_that_cannot_be_started_does_not_hold_up_the_others(rig: Rig):
    broken = rig.program("broken", ["/nonexistent/program"])
    rig.during = partial(rig.wait_for, "bot lives")
    rig.supervisor.add(servers=[], services=[broken, rig.program("bot")])
    rig.supervisor.run()
    assert rig.lines() == ["bot lives", "bot ends"]
