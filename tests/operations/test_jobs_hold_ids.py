"""Redis is nobody's safe: jobs hold ids, and neither goods nor secrets nor names."""

import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as shop_settings
from django_rq import get_queue
from redis import Redis
from rq.job import Job

from payments.models import Payment
from payments.services.cancel import cancel_order
from payments.services.opening import open_payment
from tests.bank import Bank
from tests.payments.steps import opened
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "audit"])
GOODS = ["user1:goods-of-the-shop", "user2:goods-of-the-shop"]


@pytest.fixture
def store() -> Iterator[Redis]:
    connection = Redis.from_url(shop_settings.REDIS_URL)
    forget(connection)
    yield connection
    forget(connection)
    connection.close()
    get_queue("default").connection.close()


def forget(connection: Redis) -> None:
    for key in connection.scan_iter("rq:*"):
        connection.delete(key)


def wake_every_job(world: World, bank: Bank) -> Payment:
    """Sell, and let a customer cancel, through the services that wake jobs."""
    product = world.product(stock=GOODS)
    profile = {"username": "sari_dewi", "whatsapp_number": "+628123456789"}
    customer = world.customer(name="Sari Dewi", **profile)
    payment = opened(world, customer, product)
    bank.pay(payment)
    cancelled = world.qris(customer, product)
    open_payment(payment_id=cancelled.pk, now=world.now)
    cancel_order(order_id=cancelled.order_id or 0, customer_id=customer.pk, now=world.now)
    payment.refresh_from_db()
    return payment


def scheduled_and_queued(store: Redis) -> list[Job]:
    names = [key.decode().rpartition(":")[2] for key in store.scan_iter("rq:job:*")]
    return [job for job in Job.fetch_many(names, connection=store) if job is not None]


def everything_in(store: Redis) -> bytes:
    return b"\n".join(_key_and_value(store, key) for key in store.scan_iter("*"))


def _key_and_value(store: Redis, key: bytes) -> bytes:
    read: dict[bytes, Any] = {
        b"string": lambda: [store.get(key)],
        b"hash": lambda: [part for pair in store.hgetall(key).items() for part in pair],
        b"list": lambda: store.lrange(key, 0, -1),
        b"set": lambda: store.smembers(key),
        b"zset": lambda: store.zrange(key, 0, -1),
        b"stream": lambda: [repr(store.xrange(key)).encode()],
    }
    found = read[store.type(key)]()
    return b"\n".join([key, *(_unpacked(value) for value in found)])


def _unpacked(value: bytes) -> bytes:
    """RQ packs a job's call."""
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value


def test_every_job_holds_ids_only(committed_world: World, bank: Bank, store: Redis) -> None:
    payment = wake_every_job(committed_world, bank)
    found = scheduled_and_queued(store)
    assert {job.func_name for job in found} == {path for _, path in shop_settings.JOBS.values()}
    for job in found:
        assert all(type(argument) is int for argument in job.args)
        assert job.kwargs == {}
    content = everything_in(store)
    assert b"payments.jobs.expire_payment" in content, "the scan reads what jobs hold"
    secrets = [
        *GOODS,
        *("goods-of-the-shop", "Sari", "sari_dewi", "+628123456789"),
        *(payment.qr_string, payment.reference, payment.txn_id or ""),
        *(shop_settings.PAKASIR_API_KEY, shop_settings.PAKASIR_WEBHOOK_SECRET),
        *(shop_settings.TELEGRAM_BOT_TOKEN, shop_settings.SECRET_KEY, *shop_settings.STOCK_KEYS),
        *(shop_settings.STOCK_FINGERPRINT_KEY, shop_settings.DATABASE_URL),
    ]
    assert all(secrets)
    assert [secret for secret in secrets if secret.encode() in content] == []
