"""Start and stop the embedded servers of a data folder.

`script/server` runs them under its supervisor; tests and `python -m quickcart.embedded` run them
alone. Either way they are prepared here, and what an earlier run left is ended first.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from quickcart.embedded import EmbeddedUrls, Layout, urls
from quickcart.local import launch
from quickcart.local.errors import EmbeddedError
from quickcart.local.postgres import Postgres, create_database
from quickcart.local.valkey import Valkey

Server = Postgres | Valkey
# A crash recovery may take a while on a slow disk.
START_SECONDS = 90
LARGEST_LOG = 5 * 1024 * 1024


def servers_of(data_dir: Path, *, fast: bool = False) -> list[Server]:
    layout = Layout.of(data_dir)
    return [Postgres(layout, fast), Valkey(layout, fast)]


def make_folders(layout: Layout) -> None:
    """Make the folders that all processes share; never change one that is there."""
    # Root's PostgreSQL runs as another user, who must be able to pass, but not to look around.
    passable = 0o711 if os.geteuid() == 0 else 0o700
    try:
        layout.root.parent.mkdir(parents=True, exist_ok=True)
        for folder in (layout.root, layout.run, layout.sockets):
            folder.mkdir(mode=passable, exist_ok=True)
        layout.logs.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(
            f"QUICKCART_DATA_DIR {layout.root} cannot be used: {error.strerror}."
        ) from error
    for folder in (layout.root, layout.sockets):
        if folder.stat().st_uid != os.geteuid() and os.geteuid() != 0:
            raise EmbeddedError(f"{folder} belongs to another user: choose a folder of your own.")


def command(server: Server, *, end_with_parent: bool) -> list[str]:
    """Prepare a server and return the command that runs it in the foreground."""
    who = server.prepare()
    log = _log_of(server)
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
    options = who.options() | {"log": log}
    if end_with_parent:
        options |= {"parent": os.getpid(), "signal": int(server.stop_signal)}
    return launch.command(server.arguments(), bare=True, **options)


def start(data_dir: Path, *, fast: bool = False, end_with_parent: bool = False) -> EmbeddedUrls:
    """Start both servers in the background, or find them running; return their addresses.

    fast: for tests; nothing survives a crash of the machine.
    end_with_parent: the kernel stops them when this process ends, however it ends.
    """
    layout = Layout.of(data_dir)
    addresses = urls(data_dir)
    make_folders(layout)
    servers = servers_of(data_dir, fast=fast)
    if all(server.answers(url_of(server, addresses)) for server in servers):
        return addresses
    with hold(layout):
        started = [(server, _spawn(server, end_with_parent=end_with_parent)) for server in servers]
        for server, pid in started:
            wait_for(server, addresses, gone=partial(_has_ended, pid))
    create_databases(addresses)
    return addresses


def stop(data_dir: Path) -> None:
    """Stop the servers of a data folder, however they were started."""
    layout = Layout.of(data_dir)
    if not layout.run.exists():
        return
    with hold(layout):
        for server in servers_of(data_dir):
            server.clean()
            layout.pid_file(server.name).unlink(missing_ok=True)


def url_of(server: Server, addresses: EmbeddedUrls) -> str:
    return addresses.database if isinstance(server, Postgres) else addresses.redis


def wait_for(server: Server, addresses: EmbeddedUrls, gone: Callable[[], bool]) -> None:
    """Wait until a server answers, or raise with the end of its log."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and not gone():
        if server.answers(url_of(server, addresses)):
            return
        time.sleep(0.05)
    log = _log_of(server)
    said = " ".join(log.read_text(errors="replace").splitlines()[-5:]) if log.exists() else ""
    raise EmbeddedError(f"The embedded {server.name} did not start ({log}): {said}")


def create_databases(addresses: EmbeddedUrls) -> None:
    create_database(addresses.database)
    create_database(addresses.audit_database)


@contextmanager
def hold(layout: Layout) -> Iterator[None]:
    """Hold a data folder for ourselves. The kernel lets go of it when this process ends."""
    path = layout.run / "server.lock"
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(lock, 20).decode().strip()
        os.close(lock)
        raise EmbeddedError(
            f"QuickCart is already running in {layout.root} (process {holder}): stop it first, or"
            " set another QUICKCART_DATA_DIR and PORT."
        ) from error
    try:
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(lock)


def perform(action: str, data_dir: Path) -> str:
    """Do what `python -m quickcart.embedded` was asked; return what to print."""
    addresses = urls(data_dir)
    if action == "start":
        start(data_dir)
    if action == "stop":
        stop(data_dir)
        return ""
    if action in {"start", "status"}:
        running = [(server, url_of(server, addresses)) for server in servers_of(data_dir)]
        states = [(s.name, "running" if s.answers(url) else "stopped") for s, url in running]
        return "".join(f"{name}: {state}\n" for name, state in states)
    lines = {
        "DATABASE_URL": addresses.database,
        "AUDIT_DATABASE_URL": addresses.audit_database,
        "REDIS_URL": addresses.redis,
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def _spawn(server: Server, *, end_with_parent: bool) -> int:
    arguments = command(server, end_with_parent=end_with_parent)
    nothing = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    pid = os.posix_spawn(arguments[0], arguments, {}, file_actions=[nothing], setsid=True)
    server.layout.pid_file(server.name).write_text(f"{pid}\n")
    return pid


def _has_ended(pid: int) -> bool:
    return os.waitpid(pid, os.WNOHANG)[0] == pid


def _log_of(server: Server) -> Path:
    return server.layout.logs / f"{server.name}.log"


__all__: Sequence[str] = ("EmbeddedError", "start", "stop", "urls")
