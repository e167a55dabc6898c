"""A replayed image at work: the services of compose.yaml as processes of this machine."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import httpx

from tests.deployment.composefile import interpolate, read_compose
from tests.deployment.replay import Image
from tests.deployment.test_environment_example import in_the_example
from tests.local_server import ROOT, free_port, wait_until

BOT_TOKEN = "900000000:SANDBOX-demo-token-not-a-secret"


class Deployment:
    """The shop of a replayed image and, beside it, the stand-ins of the sandbox.

    `addresses`: DATABASE_URL, AUDIT_DATABASE_URL, REDIS_URL. `secrets`: what .env holds.
    """

    def __init__(self, image: Image, addresses: dict[str, str], secrets: dict[str, str]) -> None:
        self.image = image
        self.port, self.stand_ins_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.stand_ins = f"http://127.0.0.1:{self.stand_ins_port}"
        # What Compose does with `env_file`: an empty line is an empty variable.
        env_file = in_the_example() | secrets | {"PUBLIC_URL": self.url}
        env_file |= {"ALLOWED_HOSTS": "127.0.0.1", "POSTGRES_PASSWORD": "unused"}
        env_file |= {
            "TELEGRAM_API_BASE_URL": f"{self.stand_ins}/sandbox/telegram/bot",
            "TELEGRAM_FILE_BASE_URL": f"{self.stand_ins}/sandbox/telegram/file/bot",
            "PAKASIR_BASE_URL": f"{self.stand_ins}/sandbox/pakasir/api/v2",
            "PAKASIR_CHECKOUT_URL": f"{self.stand_ins}/sandbox/pakasir/pay-v2",
        }
        self.services: dict[str, dict[str, Any]] = interpolate(read_compose(), env_file)[
            "services"
        ]
        self.environment = image.environment | env_file
        self.environment |= self.services["web"]["environment"] | addresses
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.logs: dict[str, Path] = {}

    def command(self, name: str) -> list[str]:
        """Return the command of a service, on a free port instead of the container's own."""
        given = self.services[name].get("command") or json.loads(self.image.command)
        command = [part.replace("0.0.0.0:8000", f"127.0.0.1:{self.port}") for part in given]
        return [str(self.image.path(f"/venv/bin/{command[0]}")), *command[1:]]

    def run(self, *command: str, **options: Any) -> str:
        """Run a command in the image to its end and return what it said."""
        done = subprocess.run(
            command,
            cwd=self.image.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            **options,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, name: str, command: list[str], folder: Path, **environment: str) -> None:
        log = self.image.root.parent / f"{name}.log"
        self.logs[name] = log
        with log.open("wb") as output:
            self.processes[name] = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=output, stderr=output
            )

    def start_stand_ins(self, addresses: dict[str, str]) -> None:
        """Start another web process that is nothing but Telegram and Pakasir."""
        environment = {
            "PATH": os.environ["PATH"],
            "QUICKCART_ENV_FILE": os.devnull,
            # Where the stand-in for Pakasir sends its webhooks.
            "PUBLIC_URL": self.url,
        } | addresses
        python = str(ROOT / ".venv/bin/python")
        subprocess.run(
            [python, "manage.py", "migrate", "--verbosity=0"],
            cwd=ROOT,
            env=environment,
            check=True,
        )
        command = [python, "-m", "gunicorn", "quickcart.wsgi:application", "--no-control-socket"]
        command += [f"--bind=127.0.0.1:{self.stand_ins_port}", "--worker-class=gthread"]
        command += ["--threads=16", "--graceful-timeout=1"]
        self.start("stand-ins", command, ROOT, **environment)
        wait_until(lambda: _answers(f"{self.stand_ins}/health/"), 30, self.output)

    def start_services(self) -> None:
        for name in ("web", "bot", "worker", "scheduler"):
            self.start(name, self.command(name), self.image.folder, **self.environment)
        wait_until(lambda: _answers(f"{self.url}/health/ready/"), 60, self.output)

    def stop(self) -> dict[str, int]:
        """End all as Compose does, ours first; return their exit codes."""
        codes = {}
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for name, process in self.processes.items():
            try:
                codes[name] = process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                codes[name] = process.wait()
        return codes

    def output(self) -> str:
        ends = [f"{name}: {log.read_text()[-3000:]}" for name, log in self.logs.items()]
        return "\n".join(ends)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
