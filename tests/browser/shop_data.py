"""What the shop's own records say, and its clock moved on, through manage.py."""

import json
from typing import Any

from tests.e2e.shop import Shop

_CONTENTS = """
import json
from orders.goods import goods_of
from orders.models import Order
order = Order.objects.get(invoice_id={invoice!r})
print(json.dumps([content for item in goods_of(order=order) for content in item.contents]))
"""
_PASS_TIME = """
from django.utils import timezone
from datetime import timedelta
from core.models import store_settings
from orders.models import Order
order = Order.objects.get(invoice_id={invoice!r})
ended = timezone.now() - store_settings().expiry_grace - timedelta(seconds=1)
order.payments.update(expires_at=ended)
Order.objects.filter(pk=order.pk).update(expires_at=ended)
print("null")
"""
_SET_PRICE = """
from catalog.models import Product
print(Product.objects.filter(number={number!r}).update(customer_price={price!r}))
"""


def contents_of(shop: Shop, invoice: str) -> list[str]:
    """Return what was delivered for an invoice."""
    found: list[str] = _ask(shop, _CONTENTS.format(invoice=invoice))
    return found


def let_expire(shop: Shop, invoice: str) -> None:
    """Move an order's time of expiry into the past; the scheduler ends it."""
    _ask(shop, _PASS_TIME.format(invoice=invoice))


def set_price(shop: Shop, number: int, price: int) -> None:
    assert _ask(shop, _SET_PRICE.format(number=number, price=price)) == 1


def _ask(shop: Shop, program: str) -> Any:
    return json.loads(shop.manage("shell", "--command", program).splitlines()[-1])
