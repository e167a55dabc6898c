"""PostgreSQL and Valkey in a folder: where they listen, and a command to run them.

They serve the store when DATABASE_URL or REDIS_URL is unset. Settings import this module in
production too, where the servers are not installed: it needs the standard library only.
"""

import argparse
import hashlib
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

ROLE = "quickcart"
# sockaddr_un holds 108 bytes, the last one is zero.
LONGEST_SOCKET_PATH = 107


@dataclass(frozen=True)
class EmbeddedUrls:
    database: str
    audit_database: str
    redis: str


@dataclass(frozen=True)
class Layout:
    """Where things are in a data folder."""

    root: Path

    @classmethod
    def of(cls, data_dir: Path) -> "Layout":
        return cls(Path(os.path.realpath(data_dir)))

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        return self.root / "valkey"

    @property
    def sockets(self) -> Path:
        """The folder of the sockets: in the data folder, unless its path is too long for them."""
        longest = os.fsencode(self.run / "postgres" / ".s.PGSQL.5432")
        # libpq takes a comma for the start of a second host.
        if len(longest) <= LONGEST_SOCKET_PATH and b"," not in longest:
            return self.run
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path("/tmp") / f"quickcart-{digest}"  # noqa: S108 (short; its owner is checked)

    @property
    def postgres_sockets(self) -> Path:
        return self.sockets / "postgres"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey" / "valkey.sock"

    def pid_file(self, name: str) -> Path:
        return self.run / f"{name}.pid"


def urls(data_dir: Path) -> EmbeddedUrls:
    """Return the addresses of the servers of a data folder, whether they run or not."""
    layout = Layout.of(data_dir)
    postgres = f"postgres://{ROLE}@{quote(str(layout.postgres_sockets), safe='')}"
    return EmbeddedUrls(
        database=f"{postgres}/{ROLE}",
        audit_database=f"{postgres}/{ROLE}_audit",
        # A client of a unix socket ignores the host; a URL without one would look malformed.
        redis=f"unix://localhost{quote(str(layout.valkey_socket))}?db=0",
    )


def not_running(data_dir: Path) -> str:
    """Return one sentence that says which servers do not answer and what to do, or nothing."""
    layout = Layout.of(data_dir)
    sockets = {
        "PostgreSQL": layout.postgres_sockets / ".s.PGSQL.5432",
        "Valkey": layout.valkey_socket,
    }
    silent = [name for name, path in sockets.items() if not _answers(path)]
    if not silent:
        return ""
    return (
        f"The embedded {' and '.join(silent)} of {layout.root} cannot be reached:"
        " start script/server, or set DATABASE_URL and REDIS_URL."
    )


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


def main() -> None:
    """Run `python -m quickcart.embedded start|stop|status|urls`."""
    # Not installed in production, where this module is imported as well.
    from quickcart.local import servers  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="python -m quickcart.embedded", description=__doc__)
    parser.add_argument("action", choices=("start", "stop", "status", "urls"))
    default = os.environ.get("QUICKCART_DATA_DIR") or Path(__file__).parent.parent / ".data"
    parser.add_argument("--data-dir", type=Path, default=Path(default))
    options = parser.parse_args()
    try:
        sys.stdout.write(servers.perform(options.action, options.data_dir))
    except servers.EmbeddedError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
