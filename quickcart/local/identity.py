"""Who PostgreSQL runs as. It refuses to be root, so root lends it an unprivileged user."""

import os
import pwd
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from quickcart.local import launch
from quickcart.local.errors import EmbeddedError

# Either lets a process pass folders that are closed to it. The first cannot write.
CAP_DAC_READ_SEARCH = 2
CAP_DAC_OVERRIDE = 1


@dataclass(frozen=True)
class Identity:
    """The user a program runs as, and the one capability it keeps; None means ourselves."""

    uid: int | None = None
    gid: int | None = None
    capability: int | None = None

    def own(self, path: Path | int) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def options(self) -> dict[str, object]:
        """Return the options of `launch` that make a program run as this user."""
        return {"uid": self.uid, "gid": self.gid, "capability": self.capability}


def run(arguments: list[str], identity: Identity) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    options = identity.options() | {"parent": os.getpid(), "signal": int(signal.SIGKILL)}
    return subprocess.run(  # noqa: S603 (our own commands)
        launch.command(arguments, bare=True, **options),
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def choose(folders: list[Path], program: Path) -> Identity:
    """Give the folders to a user that is not root and can run the program; return that user.

    Nothing above the folders is changed. Where a closed folder is in the way (a clone under
    /root), the process keeps one capability that lets it pass.
    """
    if os.geteuid() != 0:
        return Identity()
    uid, gid = _unprivileged(folders[0])
    for folder in folders:
        Identity(uid, gid).own(folder)
    said = ""
    for capability in (None, *_held(CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE)):
        identity = Identity(uid, gid, capability)
        said = _refusal(identity, folders, program)
        if not said:
            return identity
    name = pwd.getpwuid(uid).pw_name
    raise EmbeddedError(
        f"PostgreSQL cannot run as root, and the user {name} cannot reach {folders[0]} and"
        f" {program} ({said}): set QUICKCART_DATA_DIR to a folder that is open to {name}, or run"
        " this as an ordinary user."
    )


def _unprivileged(folder: Path) -> tuple[int, int]:
    """Return the owner of the folder if it is not root, else nobody, else any other user."""
    owner = folder.stat()
    if owner.st_uid != 0:
        return owner.st_uid, owner.st_gid
    users = sorted(pwd.getpwall(), key=lambda user: (user.pw_name != "nobody", user.pw_uid))
    for user in users:
        if user.pw_uid != 0:
            return user.pw_uid, user.pw_gid
    raise EmbeddedError("PostgreSQL cannot run as root, and this machine has no other user.")


def _refusal(identity: Identity, folders: list[Path], program: Path) -> str:
    """Return why the user cannot work there, or nothing."""
    script = 'program=$1; shift; for folder; do cd "$folder" || exit; done; "$program" --version'
    asked = ["/bin/sh", "-c", script, "sh", str(program), *map(str, folders)]
    tried = run(asked, identity)
    return "" if tried.returncode == 0 else tried.stderr.strip().rpartition(": ")[2] or "refused"


def _held(*capabilities: int) -> list[int]:
    """Return those of the capabilities this process holds."""
    status = Path("/proc/self/status")
    if not status.exists():
        return []
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    held = int(lines["CapPrm"], 16)
    return [capability for capability in capabilities if held & (1 << capability)]
