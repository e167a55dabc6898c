"""The image without a container engine: the Dockerfile's steps, done in a folder.

A stage's root is that folder, so absolute paths of the steps are mapped into it. What needs root
(making the user) is left out; everything else is done as written.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.deployment.dockerfile import ROOT, Ignore, Instruction, read_dockerfile, stages

OWN_FOLDERS = re.compile(r"(?<![\w./-])/(venv|app|babel)\b")
ACCOUNTS = "groupadd "
# How this machine reaches a package index, and nothing else of its environment.
PASSED_ON = ("HOME", "LANG", "PIP_CERT", "PIP_FIND_LINKS", "PIP_INDEX_URL", "TMPDIR")


@dataclass
class Image:
    """A replayed stage."""

    root: Path
    environment: dict[str, str]
    folder: Path = field(init=False)
    command: str = ""

    def __post_init__(self) -> None:
        self.folder = self.root

    def path(self, inside: str) -> Path:
        """Return where a path of the image is on this machine."""
        return self.root / inside.lstrip("/") if inside.startswith("/") else self.folder / inside

    def map(self, text: str) -> str:
        return OWN_FOLDERS.sub(lambda match: f"{self.root}/{match[1]}", text)


def replay(folder: Path, context: Path = ROOT) -> Image:
    """Build the image from a context into `folder`/root and return its last stage."""
    root, earlier = folder / "root", folder / "earlier"
    image = Image(root, {})
    for stage in stages(read_dockerfile(context / "Dockerfile")):
        if root.exists():
            # Scripts name their interpreter by its path, so every stage has the same root.
            root.rename(earlier)
        root.mkdir()
        image = Image(root, _machine())
        for instruction in stage:
            _perform(instruction, image, context, earlier)
    return image


def _machine() -> dict[str, str]:
    """Return what the base image gives: a Python of the same version on the path."""
    given = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return given | {"PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"}


def _perform(instruction: Instruction, image: Image, context: Path, earlier: Path) -> None:
    text = instruction.text
    if instruction.name == "ENV":
        for assignment in shlex.split(text):
            name, _, value = assignment.partition("=")
            value = image.map(value).replace("$PATH", image.environment["PATH"])
            image.environment[name] = value
    elif instruction.name == "WORKDIR":
        image.folder = image.path(text)
        image.folder.mkdir(parents=True, exist_ok=True)
    elif instruction.name == "COPY":
        _copy(shlex.split(text), image, context, earlier)
    elif instruction.name == "RUN" and not text.startswith(ACCOUNTS):
        _run(image.map(text), image)
    elif instruction.name == "CMD":
        image.command = text


def _copy(words: list[str], image: Image, context: Path, earlier: Path) -> None:
    *sources, target = words
    if sources[0] == "--from=build":
        shutil.copytree(earlier / sources[1].lstrip("/"), image.path(target), symlinks=True)
        return
    for path in Ignore(context / ".dockerignore").files(context):
        if sources == ["."] or path.as_posix() in sources:
            goal = image.path(target) / path
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(context / path, goal)


def _run(command: str, image: Image) -> None:
    done = subprocess.run(
        ["/bin/sh", "-ec", command],
        cwd=image.folder,
        env=image.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
