"""Identifiers that people read or that must not be guessed."""

import secrets
from datetime import datetime

from core.clock import local_date

# Crockford's Base32: no I, L, O, U, so nobody mistakes a letter for a digit.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
STOCK_PREFIX = "STCK"


def random_code(length: int) -> str:
    """Return `length` random characters, 5 bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def new_invoice_id(now: datetime) -> str:
    """Return `TRX`, the store's date and 50 random bits: `TRX261122K7Q2M9X4PD`."""
    return f"TRX{local_date(now):%y%m%d}{random_code(10)}"


def short_stock_id(pk: int) -> str:
    """Return what staff type for a stock item: `STCK` and its key in base 32."""
    digits = ""
    while pk:
        pk, digit = divmod(pk, 32)
        digits = ALPHABET[digit] + digits
    return STOCK_PREFIX + digits.rjust(4, "0")


def parse_short_stock_id(text: str) -> int:
    """Return the key of a stock item from its short id; raise ValueError if it is none."""
    code = text.strip().upper()
    if not code.startswith(STOCK_PREFIX) or not 0 < len(code) - len(STOCK_PREFIX) <= 12:
        raise ValueError(text)
    pk = 0
    for letter in code.removeprefix(STOCK_PREFIX):
        pk = pk * 32 + ALPHABET.index(letter)
    return pk
