"""With no Redis at all the shop sells and delivers, by the sweep alone."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.core.cache import cache
from django.utils import timezone

from accounts.models import Customer
from core import jobs
from operations.sweep import sweep
from orders.models import Order, OrderStatus
from payments import gateways
from payments.models import Payment, PaymentStatus
from telegram_bot import client
from tests.bot.flows import open_summary, settle_stand_ins
from tests.bot.harness import BotHarness
from tests.bot.in_process import InProcessRequest, gateway_transport
from tests.world import World

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


@pytest.fixture
def no_redis(settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every connection is refused: nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"redis://127.0.0.1:{port}/0"
    settings.REDIS_URL = url
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": url}}
    monkeypatch.setattr(jobs, "_outage", jobs._Outage())
    return url


@pytest.fixture
def shop_bot(
    db: Any, no_redis: str, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> Iterator[BotHarness]:
    settle_stand_ins(settings)
    settings.TELEGRAM_WELCOME_STICKER = ""
    request = InProcessRequest()
    monkeypatch.setattr(client, "build_request", lambda **_: request)
    monkeypatch.setattr(gateways, "transport_factory", gateway_transport)
    harness = BotHarness(request)
    yield harness
    harness.close()


def test_it_sells_and_delivers(shop_bot: BotHarness, world: World, no_redis: str) -> None:
    with pytest.raises(redis.ConnectionError):
        redis.Redis.from_url(no_redis).ping()
    with pytest.raises(redis.ConnectionError):
        cache.get("anything")
    product = world.product(price=50_000, stock=["user1:goods-of-the-shop"])
    sari = shop_bot.person("Sari")
    sari.send("/start")
    open_summary(sari, product)
    sari.press("QRIS")
    payment = Payment.objects.get()
    assert payment.status == PaymentStatus.CREATING
    sweep(now=timezone.now() + timedelta(seconds=4))
    assert sari.last.photo
    payment.refresh_from_db()
    pay = f"/sandbox/pakasir/transactions/{payment.txn_id}/pay/"
    shop_bot.driver.post(pay, {"webhook": "drop"})
    sweep(now=timezone.now() + timedelta(seconds=25))
    assert "user1:goods-of-the-shop" in sari.last.text
    order = Order.objects.get()
    assert (order.status, order.delivered_at is not None) == (OrderStatus.PAID, True)
    assert Customer.objects.get().name == "Sari"


def test_it_expires_what_is_not_paid(shop_bot: BotHarness, world: World) -> None:
    product = world.product(stock=1)
    sari = shop_bot.person("Sari")
    sari.send("/start")
    open_summary(sari, product)
    sari.press("QRIS")
    for seconds in (4, 616, 622, 628):
        sweep(now=timezone.now() + timedelta(seconds=seconds))
    assert Order.objects.get().status == OrderStatus.EXPIRED
    assert product.stock.available().count() == 1
