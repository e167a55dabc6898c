""".env.example names every variable that something reads, and no other."""

import re
from pathlib import Path

from tests.deployment.composefile import ROOT, VARIABLE

EXAMPLE = re.compile(r"^([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)
READ_BY_SETTINGS = re.compile(r"\benv\.(?:\w+)\(\s*\"([A-Z][A-Z0-9_]*)\"")


def in_the_example() -> dict[str, str]:
    return dict(EXAMPLE.findall((ROOT / ".env.example").read_text()))


def read_somewhere() -> set[str]:
    settings = set(READ_BY_SETTINGS.findall((ROOT / "quickcart/settings.py").read_text()))
    compose = {name for name, *_ in VARIABLE.findall((ROOT / "compose.yaml").read_text())}
    return settings | compose


def test_every_variable_is_explained() -> None:
    assert read_somewhere() - set(in_the_example()) == set()


def test_nothing_is_explained_that_nobody_reads() -> None:
    assert set(in_the_example()) - read_somewhere() == set()


def test_it_holds_no_value() -> None:
    assert {name: value for name, value in in_the_example().items() if value} == {}


def test_a_variable_of_the_guide_exists() -> None:
    named = set()
    for page in ("going-live.md", "operations.md"):
        named |= set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", Path(ROOT, "docs", page).read_text()))
    assert named - set(in_the_example()) == set()
