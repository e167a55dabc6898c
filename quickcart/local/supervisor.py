"""honcho, with what a shop needs beside it: whoever dies is started again, and servers end last.

honcho gives the loop, the signals and the prefixed, coloured lines. Its processes here live in
threads, not in helper processes: a helper that is killed would take its program out of sight.
"""

import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from honcho.manager import SYSTEM_PRINTER_NAME, Manager  # type: ignore[import-untyped]
from honcho.printer import Message  # type: ignore[import-untyped]
from honcho.process import Popen, Process  # type: ignore[import-untyped]

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
# Whoever lived this long did not fail at the start: the next pause is short again.
STEADY_SECONDS = 10
PATIENCE_SECONDS = 4


@dataclass(frozen=True)
class Program:
    """What to keep running. `command` is asked before each start and may tidy up first."""

    name: str
    command: Callable[[], list[str]]
    pid_file: Path
    environment: dict[str, str]
    folder: Path
    stop_signal: int = signal.SIGTERM


class RestartingProcess(Process):  # type: ignore[misc]
    """A program that is started again, after a pause that grows, until it shall stop."""

    cmd: Program

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stopping = threading.Event()
        self._starting = threading.Lock()

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:  # noqa: ARG002 (honcho's signature)
        self._events = events
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            self._run_once()
            failures = 0 if time.monotonic() - began > STEADY_SECONDS else failures + 1
            pause = min(FIRST_PAUSE * 2 ** max(failures - 1, 0), LONGEST_PAUSE)
            if not self._stopping.is_set():
                self._send_message(f"{self._last_words()}, starts again in {pause:g} s")
                self._stopping.wait(pause)
        self._send_message({"returncode": self._child.returncode if self._child else 0}, "stop")

    def stop(self) -> None:
        """Ask the program to end, and never start it again."""
        self._stopping.set()
        with self._starting:  # a start that is under way must not be missed
            self._signal(self.cmd.stop_signal)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _run_once(self) -> None:
        try:
            child = self._start_child()
        except Exception as error:  # whatever it is: say it and try again
            self._send_message(f"cannot start: {error}")
            return
        if child is None:
            return
        reader = threading.Thread(target=self._relay, args=(child,), daemon=True)
        reader.start()
        child.wait()
        self._kill_group(child.pid)  # what the program left would hold its port and our pipe
        reader.join(timeout=1)
        self.cmd.pid_file.unlink(missing_ok=True)

    def _start_child(self) -> "subprocess.Popen[bytes] | None":
        command = self.cmd.command()
        with self._starting:
            if self._stopping.is_set():
                return None
            self._child = child = self._child_ctor(
                command, shell=False, env=self.cmd.environment, cwd=self.cmd.folder
            )
        self.cmd.pid_file.write_text(f"{child.pid}\n")
        self._send_message({"pid": child.pid}, type="start")
        return child  # type: ignore[no-any-return]

    def _relay(self, child: "subprocess.Popen[bytes]") -> None:
        if child.stdout is not None:
            with child.stdout as lines:
                for line in lines:
                    self._send_message(line)

    def _signal(self, number: int) -> None:
        if self._child is not None and self._child.returncode is None:
            self._child.send_signal(number)

    def _kill_group(self, pid: int) -> None:
        try:
            os.killpg(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return

    def _last_words(self) -> str:
        code = self._child.returncode if self._child else None
        if code is None or code >= 0:
            return f"ended with code {code}"
        return f"was ended by {signal.Signals(-code).name}"


class Supervisor(Manager):  # type: ignore[misc]
    """Runs the servers, then what must be done once, then the services; stops them in reverse."""

    def __init__(self, *, prepare: Callable[[], bool], on_started: Callable[[], None]) -> None:
        """prepare: what to do between servers and services; on False the store does not start.

        on_started: called in a thread of its own when the services have been started.
        """
        super().__init__()
        self.events: queue.Queue[Message] = queue.Queue()  # honcho's own one is for processes
        self._terminating = False
        self._process_ctor = RestartingProcess
        self._prepare = prepare
        self._on_started = on_started
        self._servers: list[Program] = []
        self._services: list[Program] = []
        self._threads: dict[str, threading.Thread] = {}
        self._task: Any = None

    @property
    def is_stopping(self) -> bool:
        return bool(self._terminating)

    def add(self, *, servers: list[Program], services: list[Program]) -> None:
        self._servers, self._services = servers, services
        self._printer.width = max(len(program.name) for program in [*servers, *services])

    def say(self, text: str, name: str = SYSTEM_PRINTER_NAME) -> None:
        """Print a line, from any thread."""
        self.events.put(Message("line", text, datetime.now(), name, None))  # noqa: DTZ005 (a clock for people)

    def run(self) -> None:
        """Run until a signal ends it. Whatever happens, nothing is left running."""
        signal.signal(signal.SIGHUP, lambda *_: self._hang_up())
        try:
            self.loop()
        finally:  # also when the terminal is gone and nothing can be printed
            self.terminate()
            for thread in self._threads.values():
                thread.join()

    def run_task(
        self, name: str, command: list[str], environment: dict[str, str], folder: Path
    ) -> bool:
        """Run a command to its end, before the services; return whether it succeeded."""
        self._task = Popen(command, shell=False, env=environment, cwd=folder)
        with self._task.stdout as lines:
            for line in lines:
                self._printer.write(Message("line", line, datetime.now(), name, None))  # noqa: DTZ005
        return self._task.wait() == 0 and not self.is_stopping

    def terminate(self) -> None:
        if self._terminating:
            return
        self._terminating = True
        if self._task is not None and self._task.returncode is None:
            self._task.terminate()
        threading.Thread(target=self._stop_in_order).start()

    def _hang_up(self) -> None:
        self.returncode = 128 + signal.SIGHUP
        self.terminate()

    def kill(self) -> None:
        """Do nothing: `_stop_in_order` has its own patience, and servers need theirs."""

    def _start(self) -> None:
        self._launch(self._servers)
        if not self._prepare():
            self.returncode = self.returncode or 1
            self.terminate()
        if self.is_stopping:
            return
        self._launch(self._services)
        threading.Thread(target=self._on_started, daemon=True).start()

    def _launch(self, programs: list[Program]) -> None:
        for program in programs:
            process = self.add_process(program.name, program)
            thread = threading.Thread(target=process.run, args=(self.events,), name=program.name)
            self._threads[program.name] = thread
            thread.start()

    def _stop_in_order(self) -> None:
        for programs in (self._services, self._servers):
            started = [program.name for program in programs if program.name in self._threads]
            for name in started:
                self._processes[name]["obj"].stop()
            deadline = time.monotonic() + PATIENCE_SECONDS
            for name in started:
                self._threads[name].join(timeout=max(0, deadline - time.monotonic()))
            for name in started:
                if self._threads[name].is_alive():
                    self._processes[name]["obj"].kill()

    def _all_started(self) -> bool:
        # One that was stopped before it could start has a return code, but no process id.
        return all("pid" in p or "returncode" in p for p in self._processes.values())
