"""PostgreSQL and Valkey in a folder: started, stopped, killed, found again."""

import os
import pwd
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from quickcart import embedded
from quickcart.embedded import Layout
from quickcart.local import identity, launch, leftovers, servers
from tests.local_server import ROOT, wait_until

pytestmark = pytest.mark.slow
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="shows what root must do")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder with a space in its name; whatever runs in it is ended."""
    with tempfile.TemporaryDirectory(prefix="quick cart ") as parent:
        data_dir = Path(parent) / "data"
        yield data_dir
        servers.stop(data_dir)


def write(data_dir: Path) -> None:
    addresses = embedded.urls(data_dir)
    with psycopg.connect(addresses.database) as connection:
        connection.execute("CREATE TABLE kept (said text)")
        connection.execute("INSERT INTO kept VALUES ('here')")
    with redis.Redis.from_url(addresses.redis) as client:
        client.set("kept", "here")


def read(data_dir: Path) -> tuple[object, object]:
    addresses = embedded.urls(data_dir)
    with psycopg.connect(addresses.database) as connection:
        row = connection.execute("SELECT said FROM kept").fetchone()
    with redis.Redis.from_url(addresses.redis) as client:
        return row and row[0], client.get("kept")


def processes(data_dir: Path) -> list[psutil.Process]:
    layout = Layout.of(data_dir)
    return [
        *leftovers.servers_in(layout.postgres, name="postgres"),
        *leftovers.servers_in(layout.valkey, name="valkey-server"),
    ]


def test_addresses_are_the_same_every_time_and_asking_makes_nothing(tmp_path: Path):
    data_dir = tmp_path / "data"
    assert embedded.urls(data_dir) == embedded.urls(data_dir)
    assert not data_dir.exists()


def test_a_path_too_long_for_a_socket_gets_a_short_folder_of_its_own(tmp_path: Path):
    first, second = tmp_path / ("x" * 100), tmp_path / ("y" * 100)
    assert Layout.of(first).sockets.name.startswith("quickcart-")
    assert Layout.of(first).sockets != Layout.of(second).sockets
    assert len(str(Layout.of(first).valkey_socket)) <= embedded.LONGEST_SOCKET_PATH


def test_servers_that_do_not_run_are_named_in_one_sentence(tmp_path: Path):
    said = embedded.not_running(tmp_path)
    assert said.startswith(f"The embedded PostgreSQL and Valkey of {tmp_path} cannot be reached")


def test_data_survives_a_stop_and_a_start(folder: Path):
    servers.start(folder)
    write(folder)
    assert embedded.not_running(folder) == ""
    servers.stop(folder)
    assert processes(folder) == []
    servers.start(folder)
    assert read(folder) == ("here", b"here")


def test_a_start_while_running_finds_the_servers(folder: Path):
    layout = Layout.of(folder)
    servers.start(folder, fast=True)
    before = [layout.pid_file(name).read_text() for name in ("postgres", "valkey")]
    assert servers.start(folder) == embedded.urls(folder)
    assert [layout.pid_file(name).read_text() for name in ("postgres", "valkey")] == before
    assert all(psutil.pid_exists(int(pid)) for pid in before)


@pytest.mark.parametrize("only_parents", [False, True])
def test_after_a_kill_the_next_start_recovers(folder: Path, *, only_parents: bool):
    servers.start(folder)
    write(folder)
    running = processes(folder)
    layout = Layout.of(folder)
    parents = {int(layout.pid_file(name).read_text()) for name in ("postgres", "valkey")}
    for process in running:
        if process.pid in parents or not only_parents:
            with suppress(psutil.NoSuchProcess):  # it went with its parent
                process.kill()
    servers.start(folder)
    assert read(folder) == ("here", b"here")
    assert not set(running) & set(processes(folder))


def test_a_stale_pid_file_that_names_a_foreign_process_harms_nobody(folder: Path):
    servers.start(folder, fast=True)
    servers.stop(folder)
    bystander = subprocess.Popen(["/bin/sleep", "60"])
    layout = Layout.of(folder)
    (layout.postgres / "postmaster.pid").write_text(f"{bystander.pid}\n{layout.postgres}\n")
    layout.pid_file("valkey").write_text(f"{bystander.pid}\n")
    servers.start(folder, fast=True)
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_half_made_cluster_is_made_again(folder: Path):
    servers.make_folders(Layout.of(folder))
    half = folder / "postgres.new" / "base"
    half.mkdir(parents=True)
    servers.start(folder, fast=True)
    assert not half.exists()


def test_the_servers_end_when_their_parent_is_killed(folder: Path):
    code = (
        "import sys, time; from pathlib import Path; from quickcart.local import servers;"
        "servers.start(Path(sys.argv[1]), fast=True, end_with_parent=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(folder)], cwd=ROOT)
    wait_until(lambda: not embedded.not_running(folder), 30)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_until(lambda: processes(folder) == [], 10)


def test_a_folder_in_use_is_refused_with_the_process_that_uses_it(folder: Path):
    layout = Layout.of(folder)
    servers.make_folders(layout)
    with (
        servers.hold(layout),
        pytest.raises(servers.EmbeddedError, match=f"process {os.getpid()}"),
    ):
        servers.start(folder)


@as_root
def test_another_user_can_reach_neither_server(folder: Path):
    addresses = servers.start(folder, fast=True)
    nobody = pwd.getpwnam("nobody")
    layout = Layout.of(folder)
    try:
        # Even where the folders let them pass, the server asks the kernel who they are.
        folder.parent.chmod(0o755)
        code = "import psycopg, sys; psycopg.connect(sys.argv[1], user=sys.argv[2])"
        asked = [sys.executable, "-c", code, addresses.database, embedded.ROLE]
        with psycopg.connect(addresses.database) as connection:
            row = connection.execute("SELECT current_user, session_user").fetchone()
        assert row == (embedded.ROLE, embedded.ROLE)
        tried = identity.run(
            ["/bin/sh", "-c", 'test -w "$1"', "sh", str(layout.valkey_socket)],
            identity.Identity(nobody.pw_uid, nobody.pw_gid),
        )
        assert tried.returncode != 0
        as_nobody = identity.Identity(nobody.pw_uid, nobody.pw_gid, identity.CAP_DAC_READ_SEARCH)
        tried = subprocess.run(
            launch.command(asked, **as_nobody.options()),
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Peer authentication failed" in tried.stderr
    finally:
        folder.parent.chmod(0o700)


@as_root
def test_a_lent_user_finds_programs_in_closed_folders(folder: Path):
    """As PostgreSQL looks for them, by access(2): in a clone under /root."""
    nobody = pwd.getpwnam("nobody")
    tool = folder.parent / "tool"
    tool.touch(mode=0o755)
    folder.parent.chmod(0o700)
    code = "import os, sys; print(os.access(sys.argv[1], os.X_OK), os.getuid())"
    who = identity.Identity(nobody.pw_uid, nobody.pw_gid, identity.CAP_DAC_READ_SEARCH)
    asked = identity.run([sys.executable, "-I", "-c", code, str(tool)], who)
    assert asked.stdout.split() == ["True", str(nobody.pw_uid)], asked.stderr


@as_root
def test_root_lends_a_user_and_leaves_closed_folders_closed(folder: Path):
    folder.parent.chmod(0o700)
    servers.start(folder, fast=True)
    owners = set()
    for process in processes(folder):
        with suppress(psutil.NoSuchProcess):  # PostgreSQL's own workers come and go
            if process.name() == "postgres":
                owners.add(process.uids().real)
    assert owners == {pwd.getpwnam("nobody").pw_uid}
    assert folder.parent.stat().st_mode & 0o777 == 0o700
    assert folder.parent.stat().st_uid == 0
