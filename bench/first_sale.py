"""From `git clone` to the goods in the chat, with what took how long."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from playwright.sync_api import sync_playwright

from tests.local_server import PASSED_ON, free_port

ROOT = Path(__file__).resolve().parent.parent
CUSTOMER = 800_000_001
PATIENCE_SECONDS = 600


class Stopwatch:
    def __init__(self) -> None:
        self.began = self.last = time.monotonic()

    def lap(self, what: str) -> None:
        now = time.monotonic()
        print(f"{now - self.last:7.1f} s  {what}")
        self.last = now

    def total(self) -> None:
        seconds = self.last - self.began
        print(f"{seconds:7.1f} s  from the clone to the first sale ({seconds / 60:.1f} minutes)")


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("There is no Chromium here: apt-get install chromium")
    folder = Path(tempfile.mkdtemp(prefix="quickcart-first-sale-"))
    try:
        measure(folder / "clone", chromium)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(clone: Path, chromium: str) -> None:
    watch = Stopwatch()
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)  # noqa: S603, S607
    watch.lap("git clone, from this disk")
    port = free_port()
    server = start(clone, port)
    try:
        wait_for(server, (clone / ".venv/installed.json").exists)
        watch.lap("script/server: environment made, packages installed")
        wait_for(server, (clone / ".data/run/web.pid").exists)
        watch.lap("databases made and migrated, demo store filled")
        wait_for(server, lambda: is_ready(port))
        watch.lap("web, bot, worker and scheduler started: ready")
        buy(f"http://127.0.0.1:{port}", chromium, watch)
        watch.total()
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=60)


def start(clone: Path, port: int) -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment |= {"PORT": str(port), "QUICKCART_ENV_FILE": os.devnull}
    with (clone.parent / "server.log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603
            str(clone / "script/server"),
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def wait_for(server: subprocess.Popen[bytes], condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if server.poll() is not None or time.monotonic() > deadline:
            said = Path(str(server.args)).parents[2] / "server.log"
            sys.exit(f"script/server did not get ready:\n{said.read_text()[-2000:]}")
        time.sleep(0.05)


def is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/ready/", timeout=5).is_success
    except httpx.HTTPError:
        return False


def buy(url: str, chromium: str, watch: Stopwatch) -> None:
    """As fast as the page goes: a person takes about a minute more to read and choose."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{url}/")
        page.get_by_role("link", name="Open the chat").click()
        page.locator(f"[data-chat='{CUSTOMER}']").first.click()
        page.get_by_role("button", name="Start", exact=True).click()
        log = page.get_by_role("log")
        page.locator("#reply-keyboard button", has_text="105").click()
        watch.lap("browser: start page, chat, Start, product chosen")
        log.get_by_role("button", name="Lanjut ke pembayaran").last.click()
        log.get_by_role("button", name="QRIS", exact=True).last.click()
        waiting = page.locator("li[data-status=pending]")
        waiting.get_by_role("button", name="Pay", exact=True).click()
        watch.lap("browser: QRIS chosen, paid in the bank app")
        log.get_by_text("demo-105").first.wait_for()
        watch.lap("browser: goods in the chat")
        browser.close()


if __name__ == "__main__":
    main()
