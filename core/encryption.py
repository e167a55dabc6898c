"""Goods encrypted at rest: Fernet (AES-128-CBC with HMAC-SHA256), several keys for rotation."""

import hashlib
import hmac
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class DecryptionError(Exception):
    """No key of STOCK_KEYS opens this content. Never answered with the ciphertext."""


@cache
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(content: bytes) -> bytes:
    """Encrypt under the first key of STOCK_KEYS."""
    return _cipher(tuple(settings.STOCK_KEYS)).encrypt(content)


def decrypt(token: bytes | memoryview) -> bytes:
    """Decrypt with whichever key of STOCK_KEYS fits; raise DecryptionError when none does."""
    try:
        return _cipher(tuple(settings.STOCK_KEYS)).decrypt(bytes(token))
    except InvalidToken as error:
        raise DecryptionError("no key of STOCK_KEYS opens this content") from error


def fingerprint(content: bytes) -> bytes:
    """Return HMAC-SHA256 (32 bytes) under a key of its own, which rotation never touches."""
    key = settings.STOCK_FINGERPRINT_KEY.encode()
    return hmac.new(key, content, hashlib.sha256).digest()
