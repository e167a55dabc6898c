"""Goods encrypted at rest: Fernet (AES-128-CBC with HMAC-SHA256), several keys for rotation."""

import hashlib
import hmac
from functools import cache

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


class EncryptionError(Exception):
    """The keys do not do their work; trying again helps as soon as STOCK_KEYS is put right."""


class DecryptionError(EncryptionError):
    """No key of STOCK_KEYS opens this content. Never answered with the ciphertext."""


class NoUsableKey(EncryptionError):
    """STOCK_KEYS holds no key that could encrypt: nothing is stored rather than in the clear."""


@cache
def _cipher(key: str) -> Fernet:
    try:
        return Fernet(key)
    except ValueError:
        # Without the cause: its traceback would show the key.
        raise NoUsableKey("STOCK_KEYS holds something that is no Fernet key") from None


def encrypt(content: bytes) -> bytes:
    """Encrypt under the first key of STOCK_KEYS; raise NoUsableKey when there is none."""
    return _cipher(_first_key()).encrypt(content)


def decrypt(token: bytes | memoryview) -> bytes:
    """Decrypt with whichever key of STOCK_KEYS fits; raise DecryptionError when none does."""
    return open_token(token)[0]


def open_token(token: bytes | memoryview) -> tuple[bytes, str]:
    """Return the content and the id of the key that opened it, or raise DecryptionError."""
    sealed = bytes(token)
    for key in settings.STOCK_KEYS:
        try:
            return _cipher(key).decrypt(sealed), key_id(key)
        except InvalidToken:
            continue
    raise DecryptionError("no key of STOCK_KEYS opens this content")


def reencrypt(content: bytes) -> bytes:
    """Encrypt under the first key what takes the place of another token; see that it opens."""
    token = encrypt(content)
    if _cipher(_first_key()).decrypt(token) != content:
        raise DecryptionError("what was encrypted does not open again")
    return token


@cache
def key_id(key: str) -> str:
    """Return 12 hex digits that name a key and tell nothing about it: it has 256 random bits."""
    return hashlib.sha256(b"quickcart key id:" + key.encode()).hexdigest()[:12]


def current_key_id() -> str:
    """Return the id of the key that encrypts; raise NoUsableKey when there is none."""
    return key_id(_first_key())


def known_key_ids() -> list[str]:
    """Return the ids of STOCK_KEYS, that of the one that encrypts first."""
    return [key_id(key) for key in settings.STOCK_KEYS]


def _first_key() -> str:
    if not settings.STOCK_KEYS:
        raise NoUsableKey("STOCK_KEYS is empty")
    return str(settings.STOCK_KEYS[0])


def fingerprint(content: bytes) -> bytes:
    """Return HMAC-SHA256 (32 bytes) under a key of its own, which rotation never touches."""
    key = settings.STOCK_FINGERPRINT_KEY.encode()
    return hmac.new(key, content, hashlib.sha256).digest()
