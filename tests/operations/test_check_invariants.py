"""`manage.py check_invariants`: a table for people, JSON for machines, exit 1 on violations."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from catalog.models import StockBatch
from tests.world import World

pytestmark = pytest.mark.django_db
NAMES = [f"I{number}" for number in range(1, 11)]


def check(*options: str) -> str:
    said = StringIO()
    call_command("check_invariants", *options, stdout=said)
    return said.getvalue()


def check_broken(*options: str) -> str:
    said = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("check_invariants", *options, stdout=said)
    assert ended.value.code == 1
    return said.getvalue()


def lose_an_item(world: World) -> str:
    product = world.product(stock=3)
    StockBatch.objects.update(imported_count=4)
    return f"{product}: 3 available + 0 reserved + 0 sold + 0 withdrawn, 4 imported"


def test_a_sound_store_is_a_line_for_each_invariant(world: World) -> None:
    world.product(stock=3)
    lines = check().splitlines()
    assert [line.split()[0] for line in lines[:-1]] == NAMES
    assert all(line.endswith("  ok") for line in lines[:-1])
    assert lines[1].split()[-2:] == ["3", "ok"]
    assert lines[-1] == "Every invariant holds."


def test_a_violation_stands_under_its_invariant(world: World) -> None:
    sentence = lose_an_item(world)
    lines = check_broken().splitlines()
    assert lines[1].split()[-2:] == ["3", "VIOLATED"]
    assert lines[2] == f"     - {sentence}"
    assert lines[-1] == "I2: violated."


def test_json_of_a_sound_store(world: World) -> None:
    found: dict[str, Any] = json.loads(check("--json"))
    assert found["ok"] is True
    assert set(found) == {"ok", "checked_at", "invariants"}
    assert [each["name"] for each in found["invariants"]] == NAMES
    assert set(found["invariants"][0]) == {"name", "title", "checked", "violations", "more"}


def test_json_of_a_broken_one(world: World) -> None:
    sentence = lose_an_item(world)
    found = json.loads(check_broken("--json"))
    assert found["ok"] is False
    assert sentence in found["invariants"][1]["violations"]
