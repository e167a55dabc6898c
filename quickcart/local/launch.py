"""Become a server: go when the parent goes, log to a file, be another user, then exec.

Runs as a script of its own, because a parent with threads cannot do these safely between fork
and exec. Standard library only. The process id stays the same.
"""

import argparse
import ctypes
import os
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2
SECBIT_KEEP_CAPS = 1 << 4
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def command(arguments: list[str], **options: object) -> list[str]:
    """Return the command that runs another one through this script, with its options.

    parent: a process id; `signal`: what the program gets when the thread that started it ends.
    bare: no environment (not the store's secrets, no PGPORT) and no working folder.
    """
    flags = [
        f"--{name}" if value is True else f"--{name}={value}"
        for name, value in options.items()
        if value is not None and value is not False
    ]
    return [sys.executable, "-I", "-S", __file__, *flags, "--", *arguments]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, help="end when this process ends")
    parser.add_argument("--signal", type=int, help="the signal that ends the program")
    parser.add_argument("--log", type=Path)
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("--bare", action="store_true", help="no environment, no folder")
    parser.add_argument("--capability", type=int, help="one to keep as the other user")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if options.bare:
        os.chdir("/")  # an open folder: another user may not enter the caller's
    if options.log:
        _log_to(options.log)
    if options.uid is not None:
        _become(options.uid, options.gid, options.capability)
    if options.parent:
        _end_with(options.parent, options.signal)
    program = options.command[1:]  # after the "--"
    environment = {"PATH": os.defpath} if options.bare else dict(os.environ)
    try:
        os.execve(program[0], program, environment)  # noqa: S606 (the caller chose the program)
    except OSError as error:
        sys.exit(f"{program[0]}: {error.strerror}")


def _log_to(path: Path) -> None:
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)


def _become(uid: int, gid: int, capability: int | None) -> None:
    if capability is not None:
        _keep_capabilities()
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if capability is not None:
        _keep(capability)


def _keep_capabilities() -> None:
    """Keep them over the change of user, and let access(2) count them.

    It asks for the real user without capabilities unless told otherwise, and PostgreSQL asks it
    whether its own programs can be run: in a clone under a closed folder they cannot, else.
    """
    try:
        _prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS | SECBIT_NO_SETUID_FIXUP)
    except SystemExit:  # without CAP_SETPCAP
        _prctl(PR_SET_KEEPCAPS, 1)


def _keep(capability: int) -> None:
    """Keep one capability over the exec, and drop every other."""
    mask = 1 << capability
    header = _Header(CAPABILITY_VERSION_3, 0)
    sets = (_Sets * 2)(_Sets(mask, mask, mask), _Sets(0, 0, 0))
    if ctypes.CDLL(None, use_errno=True).capset(ctypes.byref(header), ctypes.byref(sets)):
        sys.exit(f"capset: {os.strerror(ctypes.get_errno())}")
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def _end_with(parent: int, number: int) -> None:
    """Ask the kernel for a signal when the parent ends. A change of user clears it: call last."""
    if sys.platform != "linux":
        return
    _prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:  # it ended before we could ask
        sys.exit("the parent has gone")


def _prctl(option: int, *values: int) -> None:
    arguments = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    if ctypes.CDLL(None, use_errno=True).prctl(option, *arguments):
        sys.exit(f"prctl {option}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
