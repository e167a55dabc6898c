from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings as shop_settings

from accounts.models import Customer
from orders.models import Order
from payments import gateways
from telegram_bot import client, delivery
from telegram_bot.work import Dispatch
from tests.bot.harness import BotHarness, Chat
from tests.bot.in_process import InProcessRequest, gateway_transport
from tests.bot.post import Post, known
from tests.bot.script import BotWith, Script
from tests.world import World


@pytest.fixture
def request_in_process(monkeypatch: pytest.MonkeyPatch) -> InProcessRequest:
    """Both stand-ins reached in process, by whoever builds a bot or a gateway adapter."""
    request = InProcessRequest()
    monkeypatch.setattr(client, "build_request", lambda **_: request)
    monkeypatch.setattr(gateways, "transport_factory", gateway_transport)
    return request


@pytest.fixture(autouse=True)
def _no_sticker(settings: Any) -> None:
    """As in a shop whose owner has chosen none."""
    settings.TELEGRAM_WELCOME_STICKER = ""


@pytest.fixture(autouse=True)
def _no_sessions() -> Iterator[None]:
    yield
    store = redis.Redis.from_url(shop_settings.REDIS_URL)
    for key in store.scan_iter("session:*"):
        store.delete(key)
    store.close()


@pytest.fixture
def bot_with(db: Any, request_in_process: InProcessRequest) -> Iterator[BotWith]:
    """The bot with another dispatch than the shop's, for tests of the shell itself."""
    built: list[BotHarness] = []

    def build(dispatch: Dispatch) -> BotHarness:
        built.append(BotHarness(request_in_process, dispatch))
        return built[-1]

    yield build
    for harness in built:
        harness.close()


@pytest.fixture
def shop_bot(db: Any, request_in_process: InProcessRequest) -> Iterator[BotHarness]:
    harness = BotHarness(request_in_process)
    yield harness
    harness.close()


@pytest.fixture
def committed_shop_bot(
    transactional_db: Any, request_in_process: InProcessRequest
) -> Iterator[BotHarness]:
    harness = BotHarness(request_in_process)
    yield harness
    harness.close()


@pytest.fixture
def script(bot_with: BotWith) -> Script:
    return Script(bot_with)


@pytest.fixture
def post(bot_with: BotWith, monkeypatch: pytest.MonkeyPatch) -> Post:
    made = Post(bot_with(lambda request: None))
    monkeypatch.setattr(delivery, "render_message", made.render)
    return made


@pytest.fixture
def sari(post: Post) -> Chat:
    """A customer of whom nothing is remembered but that they wrote once."""
    return known(post.bot)


@pytest.fixture
def rina(shop_bot: BotHarness) -> Chat:
    """An admin, who hears what staff hear."""
    chat = known(shop_bot, "Rina")
    Customer.objects.filter(pk=chat.user_id).update(is_admin=True)
    return chat


@pytest.fixture
def order(world: World, sari: Chat) -> Order:
    """Paid from the balance, and not delivered yet."""
    return world.paid(sari.customer, world.product(stock=["the:goods"]))
