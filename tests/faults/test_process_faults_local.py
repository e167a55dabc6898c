"""script/server while its processes are killed. Runs with `script/test --all`."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from quickcart import embedded
from tests.local_server import ROOT, LocalServer, free_port, wait_until

pytestmark = pytest.mark.faults
PROGRAMS = ("web", "bot", "worker", "scheduler", "postgres", "valkey")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder for all tests here, each on a fresh start: the demo is made once."""
    return tmp_path_factory.mktemp("faults") / "a shop"


@pytest.fixture
def server(data_dir: Path) -> Iterator[LocalServer]:
    with LocalServer(data_dir) as running:
        yield running


def mark(server: LocalServer, text: str) -> None:
    """Write something that a later start must still find."""
    with psycopg.connect(embedded.urls(server.data_dir).database) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS fault_marks (said text)")
        connection.execute("INSERT INTO fault_marks VALUES (%s)", [text])


def marks(server: LocalServer) -> list[str]:
    with psycopg.connect(embedded.urls(server.data_dir).database) as connection:
        return [row[0] for row in connection.execute("SELECT said FROM fault_marks")]


def test_whoever_is_killed_is_started_again_and_the_store_is_ready_again(server: LocalServer):
    for name in PROGRAMS:
        old = server.pid(name)
        assert old is not None
        os.kill(old, signal.SIGKILL)
        wait_until(lambda name=name, old=old: server.pid(name) not in (None, old), 20)
    wait_until(server.is_ready, 60, server.output)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_every_process_within_ten_seconds(server: LocalServer, number: int):
    assert len(server.processes()) > len(PROGRAMS)
    began = time.monotonic()
    assert server.stop(number) == 128 + number
    assert time.monotonic() - began < 10
    assert server.processes() == []


def test_after_a_kill_of_everything_the_next_start_finds_the_data(server: LocalServer):
    mark(server, "before the kill")
    server.kill_everything()
    began = time.monotonic()
    server.start(seconds=15)
    assert time.monotonic() - began < 15
    assert "before the kill" in marks(server)


def test_a_killed_supervisor_takes_everything_with_it(server: LocalServer):
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    wait_until(lambda: server.processes() == [], 15, lambda: str(server.processes()))
    server.start(seconds=30)


def test_a_killed_postmaster_and_supervisor_leave_nothing_that_blocks_a_start(server: LocalServer):
    mark(server, "kept")
    postmaster = server.pid("postgres")
    assert server.process is not None
    assert postmaster is not None
    server.process.kill()
    os.kill(postmaster, signal.SIGKILL)
    server.process.wait()
    server.start(seconds=30)
    assert "kept" in marks(server)


def test_a_second_server_on_the_same_folder_or_port_is_refused_in_one_sentence(
    server: LocalServer, tmp_path: Path
):
    same_folder = LocalServer(server.data_dir, free_port())
    same_folder.log = tmp_path / "same-folder.log"
    same_port = LocalServer(tmp_path / "other", server.port)
    for second, sentence in (
        (same_folder, f"QuickCart is already running in {server.data_dir}"),
        (same_port, f"Port {server.port} is not free"),
    ):
        second.launch()
        assert second.process is not None
        assert second.process.wait(timeout=60) == 1
        said = second.output().strip()
        assert sentence in said
        assert len(said.splitlines()) == 1
    assert server.is_ready()


def test_two_stores_run_side_by_side_and_manage_py_talks_to_the_right_one(
    server: LocalServer, tmp_path: Path
):
    with LocalServer(tmp_path / "b shop") as other:
        mark(server, "first")
        mark(other, "second")
        for one, text in ((server, "first"), (other, "second")):
            assert marks(one)[-1] == text
            code = (
                "from django.db import connection as c;"
                "print(c.cursor().execute('SELECT said FROM fault_marks').fetchall()[-1][0])"
            )
            said = subprocess.run(
                [str(ROOT / ".venv/bin/python"), str(ROOT / "manage.py"), "shell", "-c", code],
                env={
                    "PATH": os.environ["PATH"],
                    "QUICKCART_DATA_DIR": str(one.data_dir),
                    "QUICKCART_ENV_FILE": os.devnull,
                },
                capture_output=True,
                text=True,
                check=True,
            )
            assert said.stdout.splitlines()[-1] == text
