"""The parts of a button's path. Every number is bounded before it comes near the database."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from django.urls import register_converter

from core.ids import random_code

MOST_ID = 2**63 - 1
MOST_QUANTITY = 9_999
KEY_LENGTH = 10
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class IdConverter:
    regex = "[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        if int(value) > MOST_ID:
            raise ValueError(value)
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


class SmallNumberConverter:
    """A quantity or a page: 0 to 9999."""

    regex = "[0-9]{1,4}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(min(max(value, 0), MOST_QUANTITY))


@dataclass(frozen=True)
class Terms:
    """What the payment buttons of one summary carry; `key` is this summary's own."""

    product_id: int
    quantity: int
    total: int
    voucher_id: int
    key: str

    @classmethod
    def new(
        cls, *, product_id: int, quantity: int, total: Decimal, voucher_id: int | None
    ) -> "Terms":
        key = random_code(KEY_LENGTH)
        return cls(product_id, quantity, int(total), voucher_id or 0, key)


class TermsConverter:
    """`product/quantity/total/voucher/key`, in base 36: a button holds no more than 64 bytes."""

    regex = r"[0-9a-z]{1,13}/[0-9]{1,4}/[0-9a-z]{1,9}/[0-9a-z]{1,13}/[0-9A-Z]{10}"
    limits: ClassVar = (MOST_ID, 36**9 - 1, MOST_ID)

    def to_python(self, value: str) -> Terms:
        product, quantity, total, voucher, key = value.split("/")
        numbers = [int(product, 36), int(total, 36), int(voucher, 36)]
        if any(number > limit for number, limit in zip(numbers, self.limits, strict=True)):
            raise ValueError(value)
        return Terms(numbers[0], int(quantity), numbers[1], numbers[2], key)

    def to_url(self, value: Terms) -> str:
        product, total, voucher = map(base36, (value.product_id, value.total, value.voucher_id))
        return f"{product}/{value.quantity}/{total}/{voucher}/{value.key}"


class KeyConverter:
    """What makes a button's deposit one, however often it is pressed."""

    regex = "[0-9A-Z]{10}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


@dataclass(frozen=True)
class WayBack:
    """Where a deposit was begun: a summary, a placed order, or nowhere in particular."""

    product_id: int = 0
    quantity: int = 0
    voucher_id: int = 0
    order_id: int = 0

    @property
    def is_known(self) -> bool:
        return bool(self.product_id or self.order_id)

    @classmethod
    def to_summary(cls, terms: Terms) -> "WayBack":
        return cls(terms.product_id, terms.quantity, terms.voucher_id)


class WayBackConverter:
    """`m` (menu), `o` and an order, `s` and product-quantity-voucher; numbers in base 36."""

    regex = "m|o[0-9a-z]{1,13}|s[0-9a-z]{1,13}-[0-9]{1,4}-[0-9a-z]{1,13}"

    def to_python(self, value: str) -> WayBack:
        if value == "m":
            return WayBack()
        if value[0] == "o":
            return WayBack(order_id=_bounded(value[1:]))
        product, quantity, voucher = value[1:].split("-")
        return WayBack(_bounded(product), int(quantity), _bounded(voucher))

    def to_url(self, value: WayBack) -> str:
        if value.order_id:
            return f"o{base36(value.order_id)}"
        if not value.product_id:
            return "m"
        product, voucher = base36(value.product_id), base36(value.voucher_id)
        return f"s{product}-{value.quantity}-{voucher}"


def _bounded(digits: str) -> int:
    number = int(digits, 36)
    if number > MOST_ID:
        raise ValueError(digits)
    return number


def base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"


def find_number(text: str) -> int | None:
    """Return the product number a text is, or None: at most nine plain digits."""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def register_converters() -> None:
    register_converter(IdConverter, "id")
    register_converter(SmallNumberConverter, "small")
    register_converter(TermsConverter, "terms")
    register_converter(KeyConverter, "key")
    register_converter(WayBackConverter, "back")
