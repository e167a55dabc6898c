"""What badges and notices say can be read: WCAG AA wants 4.5:1, in light and in dark."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

WHITE, DARK = (255.0, 255.0, 255.0), (17.0, 24.0, 39.0)
STRIPES = {"light": (249.0, 250.0, 251.0), "dark": (22.0, 29.0, 44.0)}
"""unfold's base-50, and 2 % of white over base-900: every second row of a list."""
PAPER = {"light": WHITE, "dark": DARK}
TEXT = {"light": (17.0, 24.0, 39.0), "dark": (243.0, 244.0, 246.0)}
"""unfold's important font colours, base-900 and base-100: what `--qc-text` is."""
TONES = ("good", "info", "wait", "bad")
Colour = tuple[float, float, float]


def stylesheet() -> str:
    found = finders.find("backoffice/backoffice.css")
    assert isinstance(found, str)
    return Path(found).read_text(encoding="utf-8")


def rules(selector: str) -> str:
    """All that is declared for a selector, the last wins."""
    found = re.findall(rf"(?m)^{re.escape(selector)} \{{([^}}]*)\}}", stylesheet())
    assert found, selector
    return ";".join(found)


def text_colour(selector: str) -> Colour:
    [code] = re.findall(r"(?<!-)color: #([0-9a-f]{6})", rules(selector))[-1:]
    red, green, blue = (float(int(code[at : at + 2], 16)) for at in (0, 2, 4))
    return red, green, blue


def over(selector: str, paper: Colour) -> Colour:
    """The selector's translucent background on paper."""
    [found] = re.findall(r"background: rgb\((\d+) (\d+) (\d+) / ([\d.]+)\)", rules(selector))
    alpha = float(found[3])
    red, green, blue = (float(found[at]) * alpha + paper[at] * (1 - alpha) for at in range(3))
    return red, green, blue


def luminance(colour: Colour) -> float:
    parts = [each / 255 for each in colour]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Colour, other: Colour) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_formula_is_that_of_wcag() -> None:
    assert contrast(WHITE, (0, 0, 0)) == pytest.approx(21)
    assert contrast(WHITE, (118, 118, 118)) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("tone", TONES)
def test_a_badge_can_be_read_on_every_row(mode: str, tone: str) -> None:
    selector = f".qc-badge--{tone}"
    text = text_colour(selector if mode == "light" else f".dark {selector}")
    for paper in (PAPER[mode], STRIPES[mode]):
        assert contrast(text, over(selector, paper)) >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_a_quiet_badge_can_be_read(mode: str) -> None:
    grey = tuple(each * 0.13 + PAPER[mode][at] * 0.87 for at, each in enumerate((100, 116, 139)))
    assert "rgb(100 116 139 / 0.13)" in stylesheet()
    assert contrast(TEXT[mode], (grey[0], grey[1], grey[2])) >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("name", ["qc-error", "qc-note"])
def test_a_notice_can_be_read(mode: str, name: str) -> None:
    selector = f".{name}"
    text = text_colour(selector if mode == "light" else f".dark {selector}")
    assert contrast(text, over(selector, PAPER[mode])) >= 4.5
