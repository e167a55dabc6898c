"""One shop and one Chromium for all browser tests; a context and a watch for each."""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.chat import ChatPage
from tests.browser.chromium import DESKTOP, Device, Shots, launch
from tests.browser.watch import Watch
from tests.e2e.shop import Shop

CALLED = pytest.StashKey[pytest.CallInfo[None]]()


# Both end with this folder: Django refuses the database while Playwright's loop is running.
@pytest.fixture(scope="package")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    shop = Shop(tmp_path_factory.mktemp("browser") / "data")
    try:
        shop.start()
        yield shop
    finally:
        shop.stop()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def device(request: pytest.FixtureRequest) -> Device:
    return getattr(request, "param", DESKTOP)


@pytest.fixture
def context(browser: Browser, device: Device) -> Iterator[BrowserContext]:
    context = browser.new_context(**device.options())
    yield context
    context.close()


@pytest.fixture
def watch(context: BrowserContext, shop: Shop) -> Iterator[Watch]:
    watch = Watch(context, shop.url)
    yield watch
    assert watch.faults() == []


@pytest.fixture
def shots(request: pytest.FixtureRequest, device: Device) -> Shots:
    name = request.node.originalname.removeprefix("test_").replace("_", "-")
    folder: Path = request.config.rootpath / "test-results/browser"
    return Shots(folder, f"{name}-{device.name}")


@pytest.fixture
def make_chat(
    request: pytest.FixtureRequest,
    context: BrowserContext,
    watch: Watch,
    shop: Shop,
    device: Device,
    shots: Shots,
) -> Iterator[Callable[[], ChatPage]]:
    """Open chat pages side by side, in one browser."""
    made: list[ChatPage] = []

    def make() -> ChatPage:
        made.append(ChatPage(context.new_page(), shop.url, device, shots))
        return made[-1]

    yield make
    call = request.node.stash.get(CALLED, None)
    if call is not None and call.excinfo is not None:
        for chat in made:
            chat.shoot("failed")


@pytest.fixture
def chat(make_chat: Callable[[], ChatPage]) -> ChatPage:
    return make_chat().open()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    if call.when == "call":
        item.stash[CALLED] = call
    return (yield)
