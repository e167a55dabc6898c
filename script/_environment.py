"""Make the virtual environment, or find that it is up to date. Standard library only.

usage: _environment.py [--check] ROOT REQUIREMENTS_FILE …   (--check: say what is wrong with it)
"""

import fcntl
import hashlib
import json
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

# What a new virtual environment brings along.
TOOLS = {"pip", "setuptools", "wheel"}


def main() -> None:
    if sys.argv[1] == "--check":
        sys.exit("\n".join(_faults(Path(sys.argv[2]), sys.argv[3:])) or 0)
    root, names = Path(sys.argv[1]), sys.argv[2:]
    # Two scripts may start at once in a fresh clone: one installs, the other waits.
    with (root / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        Environment(root).provide(names)


class Environment:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"
        self.stamp = self.folder / "installed.json"
        self.unfinished = self.folder / "installing"

    def provide(self, names: list[str]) -> None:
        """Install the requirement files, if they changed since the last time."""
        wanted = {name: self._digest(name) for name in names}
        if self._works() and wanted.items() <= self._installed().items():
            return
        if not self._works():
            self._create()
        self.unfinished.touch()
        print(f"Installing {', '.join(names)} …", flush=True)  # noqa: T201
        files = [part for name in names for part in ("-r", str(self.root / name))]
        # Twice quiet: what it warns about is the machine's own configuration.
        self._run(str(self.python), "-m", "pip", "install", "-qq", "--no-input", *files)
        self.stamp.write_text(json.dumps(self._installed() | wanted))
        self.unfinished.unlink()

    def _works(self) -> bool:
        """Whether the environment is whole: neither interrupted nor moved nor out of date."""
        if self.unfinished.exists() or not self.python.exists():
            return False
        check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
        tried = subprocess.run([self.python, "-c", check], check=False, capture_output=True)  # noqa: S603
        return tried.returncode == 0

    def _create(self) -> None:
        print(f"Creating {self.folder} …", flush=True)  # noqa: T201
        shutil.rmtree(self.folder, ignore_errors=True)
        self._run(sys.executable, "-m", "venv", str(self.folder))

    def _installed(self) -> dict[str, str]:
        try:
            return dict(json.loads(self.stamp.read_text()))
        except (OSError, ValueError):
            return {}

    def _digest(self, name: str) -> str:
        return hashlib.sha256((self.root / name).read_bytes()).hexdigest()

    def _run(self, *command: str) -> None:
        if subprocess.run(command, check=False).returncode:  # noqa: S603
            sys.exit("The virtual environment could not be made: see the message above.")


def _faults(root: Path, names: list[str]) -> list[str]:
    """Compare the files with what is installed: every package pinned, once, to what is there."""
    faults, pinned = [], {}
    for name in names:
        for line in (root / name).read_text().splitlines():
            requirement = line.partition("#")[0].strip()
            match = re.fullmatch(r"([\w.-]+)(?:\[[\w,]+\])?==([\w.+!]+)", requirement)
            if match:
                pinned[_normal(match[1])] = match[2]
            elif requirement:
                faults.append(f"{name}: {requirement} is not pinned to one version.")
    for distribution in metadata.distributions():
        package = _normal(distribution.metadata["Name"])
        if package not in TOOLS and pinned.get(package) != distribution.version:
            expected = pinned.get(package, "nothing")
            faults.append(f"{package} {distribution.version} is installed, {expected} is pinned.")
    return faults


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
