"""`script/server`: the whole store on this machine, under one supervisor."""

import os
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from quickcart.embedded import Layout, urls
from quickcart.local import launch, leftovers, servers
from quickcart.local.errors import EmbeddedError
from quickcart.local.supervisor import Program, Supervisor

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 120


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "quickcart.settings")
    try:
        layout = Layout.of(settings.QUICKCART_DATA_DIR)
        servers.make_folders(layout)
        with servers.hold(layout):
            sys.exit(LocalStore(layout).run())
    except ImproperlyConfigured as error:
        sys.exit(f"QuickCart cannot start:\n{error}")
    except EmbeddedError as error:
        sys.exit(f"QuickCart cannot start: {error}")


@dataclass
class LocalStore:
    layout: Layout
    supervisor: Supervisor = field(init=False)

    def run(self) -> int:
        """Run everything until a signal ends it; return the exit code."""
        leftovers.end(leftovers.marked(self.layout.root))
        _check_port(settings.PORT)
        self.supervisor = Supervisor(prepare=self._prepare, on_started=self._announce)
        self.supervisor.add(
            servers=[self._server(server) for server in self._embedded()],
            services=[self._service(name, command) for name, command in _services().items()],
        )
        try:
            self.supervisor.run()
        finally:
            leftovers.end(leftovers.marked(self.layout.root))
            for server in self._embedded():
                server.clean()
        return int(self.supervisor.returncode or 0)

    def _embedded(self) -> list[servers.Server]:
        """Return the servers that no setting replaces."""
        wanted = {
            "postgres": not os.environ.get("DATABASE_URL"),
            "valkey": not os.environ.get("REDIS_URL"),
        }
        all_servers = servers.servers_of(self.layout.root)
        return [server for server in all_servers if wanted[server.name]]

    def _server(self, server: servers.Server) -> Program:
        return Program(
            name=server.name,
            command=partial(servers.command, server, end_with_parent=True),
            pid_file=self.layout.pid_file(server.name),
            environment={},
            folder=self.layout.root,
            stop_signal=server.stop_signal,
        )

    def _service(self, name: str, arguments: list[str]) -> Program:
        return Program(
            name=name,
            command=partial(_ending_with_us, arguments),
            pid_file=self.layout.pid_file(name),
            environment=self._environment(),
            folder=ROOT,
        )

    def _environment(self) -> dict[str, str]:
        return os.environ | {
            leftovers.MARK: str(self.layout.root),
            "QUICKCART_DATA_DIR": str(self.layout.root),
            "PYTHONUNBUFFERED": "1",
        }

    def _prepare(self) -> bool:
        """Wait for the embedded servers, then bring databases and translations up to date."""
        addresses = urls(self.layout.root)
        try:
            for server in self._embedded():
                servers.wait_for(server, addresses, gone=lambda: self.supervisor.is_stopping)
        except EmbeddedError as error:
            self.supervisor.say(str(error))
            return False
        arguments = _ending_with_us([sys.executable, "-m", "quickcart.local.prepare"])
        return self.supervisor.run_task("prepare", arguments, self._environment(), ROOT)

    def _announce(self) -> None:
        """Wait until the store is ready, then say where it is."""
        deadline = time.monotonic() + READY_SECONDS
        while not self.supervisor.is_stopping:
            reasons = _reasons_not_ready()
            if not reasons:
                self.supervisor.say(_addresses())
                return
            if time.monotonic() > deadline:
                self.supervisor.say(f"Still not ready after {READY_SECONDS} s: {reasons}")
                return
            time.sleep(0.5)


def _services() -> dict[str, list[str]]:
    manage = [sys.executable, str(ROOT / "manage.py")]
    workers, threads = (1, 32) if settings.SANDBOX else (2, 8)
    web = [sys.executable, "-m", "gunicorn", "quickcart.wsgi:application", "--no-control-socket"]
    web += [f"--bind=127.0.0.1:{settings.PORT}", "--worker-class=gthread"]
    # The stand-in's long polls never finish by themselves: do not wait for them at the end.
    web += [f"--workers={workers}", f"--threads={threads}", "--graceful-timeout=2"]
    return {
        "web": web,
        "bot": [*manage, "runbot"],
        "worker": [
            *manage,
            "rqworker",
            "--with-scheduler",
            "--verbosity=0",
            "--worker-ttl=60",
            "high",
            "default",
            "low",
        ],
        "scheduler": [*manage, "scheduler"],
    }


def _ending_with_us(arguments: list[str]) -> list[str]:
    return launch.command(arguments, parent=os.getpid(), signal=int(signal.SIGTERM))


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise EmbeddedError(
                f"Port {port} is not free ({error.strerror}): set PORT to another one."
            ) from error


def _reasons_not_ready() -> str:
    connection = HTTPConnection("127.0.0.1", settings.PORT, timeout=5)
    try:
        # The name the site answers to, which need not be this machine's.
        host = urlsplit(settings.PUBLIC_URL).netloc
        connection.request("GET", "/health/ready/", headers={"Host": host})
        answer = connection.getresponse()
        return "" if answer.status == HTTPStatus.OK else answer.read().decode(errors="replace")
    except (OSError, HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()


def _addresses() -> str:
    """One line each, aligned."""
    url = settings.PUBLIC_URL
    back_office = f"{url}/{settings.ADMIN_PATH}/"
    if settings.SANDBOX:
        login = settings.SANDBOX_STAFF_LOGIN
        places = {
            "Start here": f"{url}/",
            "Chat": f"{url}/sandbox/",
            "Back office": "{}   user: {username}   password: {password}".format(
                back_office, **login
            ),
        }
    else:
        places = {
            "Bot": f"https://t.me/{settings.BOT_USERNAME}",
            "Webhook": f"{url}/webhooks/pakasir/",
            "Back office": back_office,
        }
    places["Health"] = f"{url}/health/ready/"
    return "\n".join(
        ["QuickCart is ready.", *(f"  {name:<11}  {place}" for name, place in places.items())]
    )


if __name__ == "__main__":
    main()
