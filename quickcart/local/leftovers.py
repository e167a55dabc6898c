"""Find the processes of a data folder, also those an earlier run lost, and end them.

Never by a process id from a file alone: ids are used again. A server is known by its working
folder, which it keeps for life; everything under the supervisor by a mark in its environment.
"""

import os
import signal
from collections.abc import Iterable
from pathlib import Path

import psutil

MARK = "QUICKCART_INSTANCE"


def servers_in(folder: Path, *, name: str) -> list[psutil.Process]:
    """Return the running processes of this name whose working folder is this one."""
    return [
        process
        for process in psutil.process_iter()
        if _is(process, name) and _folder_of(process) == os.path.realpath(folder)
    ]


def marked(root: Path) -> list[psutil.Process]:
    """Return the running processes a supervisor of this data folder started."""
    mine = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [
        process
        for process in psutil.process_iter()
        if process.pid not in mine and _mark_of(process) == str(root)
    ]


def end(
    processes: Iterable[psutil.Process],
    *,
    number: int = signal.SIGTERM,
    patience: float = 5,
) -> None:
    """Send the signal, wait, and kill what is still there."""
    ending = list(processes)
    for process in ending:
        _send(process, number)
    _, alive = psutil.wait_procs(ending, timeout=patience)
    for process in alive:
        _send(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=patience)


def _send(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def _is(process: psutil.Process, name: str) -> bool:
    try:
        return bool(process.name() == name)
    except psutil.Error:
        return False


def _folder_of(process: psutil.Process) -> str:
    try:
        return str(process.cwd())
    except (psutil.Error, OSError):
        return ""


def _mark_of(process: psutil.Process) -> str:
    try:
        return str(process.environ().get(MARK, ""))
    except (psutil.Error, OSError):
        return ""
