"""compose.yaml as Compose reads it, as far as this shop needs."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = re.compile(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}")


class Missing(Exception):
    """A variable that must be set is not."""


def read_compose(path: Path = ROOT / "compose.yaml") -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


def interpolate(value: Any, variables: dict[str, str]) -> Any:
    """Replace ${NAME}, ${NAME:-default} and ${NAME:?message} everywhere in a value."""
    if isinstance(value, dict):
        return {name: interpolate(each, variables) for name, each in value.items()}
    if isinstance(value, list):
        return [interpolate(each, variables) for each in value]
    if not isinstance(value, str):
        return value
    return VARIABLE.sub(lambda match: _value(match, variables), value)


def _value(match: re.Match[str], variables: dict[str, str]) -> str:
    name, operator, word = match.groups()
    if variables.get(name):
        return variables[name]
    if operator == ":-":
        return str(word)
    raise Missing(f"{name} {word}")
