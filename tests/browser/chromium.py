"""Which Chromium to drive, how to start it, and the two sizes it is looked at in."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing leaves this machine, whatever a page asks for.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@dataclass(frozen=True)
class Device:
    name: str
    width: int
    height: int
    is_phone: bool = False

    def options(self) -> dict[str, Any]:
        """Return what a browser context of this device is made with."""
        return {
            "viewport": {"width": self.width, "height": self.height},
            "is_mobile": self.is_phone,
            "has_touch": self.is_phone,
            "locale": "id-ID",
            "timezone_id": "Asia/Jakarta",
        }


DESKTOP = Device("desktop", 1280, 800)
PHONE = Device("phone", 390, 844, is_phone=True)


def _at(*devices: Device) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "device", devices, ids=[each.name for each in devices], indirect=True
    )


both = _at(DESKTOP, PHONE)
phone = _at(PHONE)


_IS_STILL = """
() => document.getAnimations().every(
  (each) => each.playState !== "running" || each.effect.getTiming().iterations === Infinity,
)
"""


def wait_until_still(page: Page) -> None:
    """Wait for every animation that ends."""
    page.wait_for_function(_IS_STILL)


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=_executable(playwright), args=ARGUMENTS)


def _executable(playwright: Playwright) -> str:
    chosen = os.environ.get("QUICKCART_CHROMIUM")
    candidates = [chosen] if chosen else [*NAMES, playwright.chromium.executable_path]
    for candidate in candidates:
        found = shutil.which(candidate)
        if found:
            return found
    pytest.fail(
        f"No Chromium to drive ({', '.join(candidates)}): install chromium, or run "
        "`.venv/bin/playwright install chromium`, or name yours in QUICKCART_CHROMIUM.",
        pytrace=False,
    )


class Shots:
    """The screenshots of one test, numbered in the order they were taken."""

    def __init__(self, folder: Path, test: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._test = test
        self._taken = 0
        for old in folder.glob(f"{test}-[0-9]*.png"):
            old.unlink()

    def take(self, page: Page, name: str) -> None:
        self._taken += 1
        path = self._folder / f"{self._test}-{self._taken:02}-{name}.png"
        wait_until_still(page)
        page.screenshot(path=path, animations="disabled")
