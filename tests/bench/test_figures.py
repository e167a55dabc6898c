"""The figures say what was measured."""

import json
from pathlib import Path

import pytest

from bench.figures import Figure, percentile, write_json


@pytest.mark.parametrize(
    ("count", "share", "expected"),
    [(100, 50, 50), (100, 95, 95), (100, 99, 99), (10, 95, 10), (20, 95, 19), (1, 50, 1)],
)
def test_a_percentile_is_the_least_time_that_so_many_are_not_above(
    count: int, share: int, expected: int
) -> None:
    times = [float(number) for number in range(count, 0, -1)]
    assert percentile(times, share) == expected


def test_a_figure_is_a_line_with_its_count() -> None:
    figure = Figure("paid", (0.2, 0.1, 2.0), "three at once")
    said = "p50 200 ms, p95 2.0 s, p99 2.0 s, max 2.0 s of 3 (three at once)"
    assert figure.line() == f"{'paid':<40} {said}"


def test_figures_are_written_for_programs(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    write_json(path, [Figure("paid", (0.25,))])
    assert json.loads(path.read_text()) == {
        "figures": [
            {
                "name": "paid",
                "count": 1,
                "seconds": {"p50": 0.25, "p95": 0.25, "p99": 0.25, "max": 0.25},
                "note": "",
            }
        ]
    }
