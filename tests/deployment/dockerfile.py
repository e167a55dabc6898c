"""The Dockerfile and .dockerignore as a container engine reads them, as far as this shop needs."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Instruction:
    name: str
    text: str


def read_dockerfile(path: Path = ROOT / "Dockerfile") -> list[Instruction]:
    """Return the instructions with their continued lines joined, comments left out."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    parts = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    return [Instruction(name, text.strip()) for name, _, text in parts]


def stages(instructions: list[Instruction]) -> list[list[Instruction]]:
    found: list[list[Instruction]] = []
    for instruction in instructions:
        if instruction.name == "FROM":
            found.append([])
        found[-1].append(instruction)
    return found


def final_stage() -> dict[str, list[str]]:
    """Return the texts of the last stage's instructions by their name."""
    found: dict[str, list[str]] = {}
    for instruction in stages(read_dockerfile())[-1]:
        found.setdefault(instruction.name, []).append(instruction.text)
    return found


class Ignore:
    """.dockerignore: the last pattern that names a path or a folder above it decides."""

    def __init__(self, path: Path = ROOT / ".dockerignore") -> None:
        lines = [line.strip() for line in path.read_text().splitlines()]
        patterns = [line for line in lines if line and not line.startswith("#")]
        self.rules = [(_regex(p.removeprefix("!")), p.startswith("!")) for p in patterns]

    def keeps(self, path: str) -> bool:
        kept = True
        for regex, is_exception in self.rules:
            if regex.match(path):
                kept = is_exception
        return kept

    def files(self, context: Path) -> list[Path]:
        """Return what of a folder reaches the engine, relative to it."""
        found = []
        for top in sorted(context.iterdir()):
            # Nothing below these is an exception; to look through them all would take long.
            if top.name in {".git", ".venv", "node_modules"} or top.name.startswith(".data"):
                assert not self.keeps(f"{top.name}/file")
                continue
            below = [top] if top.is_file() else [p for p in top.rglob("*") if p.is_file()]
            found += [path.relative_to(context) for path in below]
        return [path for path in found if self.keeps(path.as_posix())]


def _regex(pattern: str) -> re.Pattern[str]:
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    tokens = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.strip("/"))
    said = "".join(wild.get(token, re.escape(token)) for token in tokens)
    return re.compile(f"{said}(?:/.*)?$")
