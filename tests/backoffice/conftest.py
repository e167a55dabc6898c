"""A small shop with a row of every kind, and staff who look at it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from core.models import StoreSettings
from payments.models import Case, CaseKind, GatewayEvent
from tests.bank import Bank
from tests.world import World

SECRETS = [f"goods-of-the-shop-{n}@contoh.id" for n in range(6)]


@pytest.fixture
def owner(db: Any) -> Client:
    return log_in(User.objects.create_superuser("owner", password="x"))


@pytest.fixture
def staff(db: Any) -> Callable[..., Client]:
    """A member of staff with these permissions (`app.codename`) and no other."""

    def make(*permissions: str) -> Client:
        user = User.objects.create_user(f"staff{len(permissions)}", is_staff=True)
        for name in permissions:
            app, code = name.split(".")
            user.user_permissions.add(
                Permission.objects.get(content_type__app_label=app, codename=code)
            )
        return log_in(user)

    return make


@pytest.fixture
def shop(world: World, bank: Bank) -> World:
    """Products of every kind, an order paid, one open, and what came of them."""
    accounts = world.product(number=101, name="Kopi <b>Digital</b>", stock=SECRETS)
    world.product(kind="shared", number=102)
    world.product(kind="file", number=103)
    voucher = world.voucher()
    sari = world.customer(balance=200_000, name="Sari <i>Dewi</i>")
    world.paid(sari, accounts, quantity=2, voucher=voucher, total=90_000)
    payment = world.qris(world.customer(name="Budi"), accounts)
    event = GatewayEvent.objects.create(
        gateway="pakasir",
        txn_id="T1",
        order_id=payment.reference,
        status="completed",
        body={"amount": 50_000, "X-Secret": "the-webhooks-secret"},
        received_at=world.now,
    )
    Case.objects.create(
        kind=CaseKind.UNMATCHED_EVENT,
        key="T1",
        event=event,
        order=payment.order,
        payment=payment,
        opened_at=world.now,
    )
    StoreSettings.objects.create(pk=1)
    return world


def log_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
