"""`script/server` in a folder of its own, for the tests that start and kill the whole store."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import psutil

ROOT = Path(__file__).resolve().parent.parent
# Only these of our own environment: the tests' databases are not the store's.
PASSED_ON = ("HOME", "LANG", "PATH", "PIP_CERT", "PIP_FIND_LINKS", "TMPDIR")


class LocalServer:
    """Starts script/server, waits until it is ready, knows its processes, ends it."""

    def __init__(self, data_dir: Path, port: int | None = None, **settings: str) -> None:
        self.data_dir = data_dir
        self.port = port or free_port()
        self.settings = settings
        self.log = data_dir.with_name(f"{data_dir.name}.log")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, *, seconds: float = 180) -> Self:
        """Start it and wait until /health/ready/ says so."""
        self.launch()
        wait_until(self.is_ready, seconds, self.output)
        return self

    def launch(self) -> None:
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        environment |= {"PORT": str(self.port), "QUICKCART_DATA_DIR": str(self.data_dir)}
        environment |= {"QUICKCART_ENV_FILE": os.devnull} | self.settings
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(ROOT / "script" / "server")],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it by a signal and return its exit code; what is left is killed."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        try:
            return self.process.wait(timeout=20)
        finally:
            self.process.kill()
            self.process.wait()
            kill(self.processes())

    def kill_everything(self) -> None:
        """SIGKILL the supervisor and all it runs, at once."""
        assert self.process is not None
        victims = self.processes()
        self.process.kill()
        kill(victims)
        self.process.wait()

    def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.output()
        try:
            return httpx.get(f"{self.url}/health/ready/", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def pid(self, name: str) -> int | None:
        """Return the process id of web, bot, worker, scheduler, postgres or valkey."""
        try:
            return int((self.data_dir / "run" / f"{name}.pid").read_text())
        except (OSError, ValueError):
            return None

    def processes(self) -> list[psutil.Process]:
        """Return what runs for this data folder, apart from the supervisor."""
        return [process for process in psutil.process_iter() if self._owns(process)]

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def _owns(self, process: psutil.Process) -> bool:
        folder = os.path.realpath(self.data_dir)
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            marked = process.environ().get("QUICKCART_INSTANCE") == folder
            return marked or process.cwd().startswith(f"{folder}/")
        except (psutil.Error, OSError):
            return False


def kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # it went with its parent
            process.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(
    condition: Callable[[], bool], seconds: float, explain: Callable[[], str] = str
) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {explain()}"
        time.sleep(0.1)
