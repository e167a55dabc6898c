"""A running `script/server` and the people who use it, over HTTP only."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(what: str, find: Callable[[], T | None], *, seconds: float = 30) -> T:
    """Ask `find` until it answers something true; fail with `what` when time is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = find()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


def family(pid: int) -> list[psutil.Process]:
    """Return a process and all it started."""
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def send_signal(processes: list[psutil.Process], number: int) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # it went with its parent
            process.send_signal(number)


class Shop:
    """The whole store as `script/server` runs it, in a data folder and on a port of its own."""

    def __init__(self, data_dir: Path, root: Path = ROOT) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.root = root
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client()
        self._server: subprocess.Popen[bytes] | None = None

    def start(self, *, seconds: float = 240, **environment: str) -> float:
        """Start the shop, wait until it is ready, and return how many seconds that took."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "AUDIT_DATABASE_URL", "REDIS_URL"}
        }
        self.http.close()
        self.http = httpx.Client(base_url=self.url, timeout=60, trust_env=False)
        began = time.monotonic()
        with (self.data_dir.parent / f"server-{self.port}.log").open("ab") as log:
            self._server = subprocess.Popen(
                [str(self.root / "script/server")],
                env={
                    **inherited,
                    "PORT": str(self.port),
                    "QUICKCART_DATA_DIR": str(self.data_dir),
                    **environment,
                },
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_until_ready(seconds=seconds)
        return time.monotonic() - began

    def wait_until_ready(self, *, seconds: float = 60) -> None:
        wait_for("the shop is ready", self._is_ready, seconds=seconds)

    def _is_ready(self) -> bool:
        if self._server is not None and self._server.poll() is not None:
            raise AssertionError(f"script/server ended: {self.log()[-3000:]}")
        try:
            return self.http.get("/health/ready/").status_code == 200
        except httpx.HTTPError:
            return False

    def log(self) -> str:
        return (self.data_dir.parent / f"server-{self.port}.log").read_text(errors="replace")

    def stop(self) -> int:
        """Ask the server to end, as Ctrl-C does, and return its exit code."""
        assert self._server is not None
        self.http.close()
        self._server.send_signal(signal.SIGTERM)
        return self._server.wait(timeout=60)

    def pid(self, name: str) -> int:
        """Return the process id of web, bot, worker, scheduler, postgres or valkey."""
        return int((self.data_dir / f"run/{name}.pid").read_text().split()[0])

    def kill(self, *names: str) -> None:
        """kill -9 of these and of what they started: a worker does each job in a child."""
        for name in names:
            with suppress(psutil.NoSuchProcess, FileNotFoundError):
                send_signal(family(self.pid(name)), signal.SIGKILL)

    def kill_everything(self) -> None:
        """kill -9 of the supervisor and of all it started."""
        assert self._server is not None
        send_signal(family(self._server.pid), signal.SIGKILL)
        self._server.wait()

    @contextmanager
    def suspended(self, *names: str) -> Iterator[None]:
        """Hold processes still meanwhile: they keep what they have and do nothing."""
        held = [family(self.pid(name)) for name in names]
        for processes in held:
            send_signal(processes, signal.SIGSTOP)
        try:
            yield
        finally:
            for processes in held:
                send_signal(processes, signal.SIGCONT)

    @contextmanager
    def unsupervised(self) -> Iterator[None]:
        """Start nobody again who dies meanwhile."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._server.send_signal(signal.SIGCONT)

    def manage(self, *arguments: str) -> str:
        """Run manage.py as an operator would in another terminal."""
        environment = {"PORT": str(self.port), "QUICKCART_DATA_DIR": str(self.data_dir)}
        done = subprocess.run(
            [str(self.root / ".venv/bin/python"), "manage.py", *arguments],
            cwd=self.root,
            env={"PATH": os.environ["PATH"], **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self.http.post(path, json=body or {})
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def get(self, path: str) -> dict[str, Any]:
        answer = self.http.get(path)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def person(self, first_name: str) -> "Person":
        user = self.post("/sandbox/api/users/", {"first_name": first_name, "language_code": "id"})
        return Person(self, user["id"])

    def transactions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("/sandbox/pakasir/api/transactions/")[
            "transactions"
        ]
        return found

    def pay(self, txn_id: str, **how: Any) -> dict[str, Any]:
        return self.post(f"/sandbox/pakasir/transactions/{txn_id}/pay/", how)


class Person:
    """A customer with the chat open."""

    def __init__(self, shop: Shop, user_id: int) -> None:
        self.shop = shop
        self.id = user_id

    def say(self, text: str) -> int:
        path = f"/sandbox/api/chats/{self.id}/messages/"
        sent = self.shop.post(path, {"from_id": self.id, "text": text})
        found: int = sent["message_id"]
        return found

    def messages(self, after: int = 0) -> list[dict[str, Any]]:
        """Return the bot's messages that stand in the chat, oldest first."""
        path = f"/sandbox/api/chats/{self.id}/messages/?after={after}"
        found = self.shop.get(path)["messages"]
        return [each for each in found if each["from_bot"] and not each["deleted"]]

    def wait_for_text(self, part: str, *, seconds: float = 30) -> dict[str, Any]:
        """Wait for a message with these words in its text or caption."""

        def find() -> list[dict[str, Any]]:
            return [m for m in self.messages() if part in f"{m['text']} {m['caption']}"]

        return wait_for(f"a message with {part!r} for {self.id}", find, seconds=seconds)[-1]

    def press(self, message: dict[str, Any], label: str) -> str:
        """Press the first button whose label contains these words; return the callback's id."""
        rows = message["reply_markup"]["inline_keyboard"]
        found = [button for row in rows for button in row if label in button["text"]]
        assert found, f"no button {label!r} in {rows}"
        path = f"/sandbox/api/chats/{self.id}/messages/{message['message_id']}/press/"
        answer = self.shop.post(path, {"from_id": self.id, "data": found[0]["callback_data"]})
        identifier: str = answer["callback_query_id"]
        return identifier

    def wait_until_answered(self, callback_id: str, *, seconds: float = 10) -> None:
        path = f"/sandbox/api/callbacks/{callback_id}/"
        wait_for(
            "the button is answered", lambda: self.shop.get(path)["answered"], seconds=seconds
        )
