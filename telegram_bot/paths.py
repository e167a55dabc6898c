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
