import pytest
from cryptography.fernet import Fernet

from core.encryption import DecryptionError, decrypt, encrypt, fingerprint


def test_what_is_stored_is_not_the_content() -> None:
    token = encrypt(b"user@example.com:secret")
    assert b"secret" not in token
    assert decrypt(token) == b"user@example.com:secret"


def test_an_older_key_still_opens_its_contents(settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.STOCK_KEYS = [old]
    token = encrypt(b"goods")
    settings.STOCK_KEYS = [new, old]
    assert decrypt(token) == b"goods"


def test_a_wrong_key_is_an_error_never_ciphertext(settings) -> None:
    token = encrypt(b"goods")
    settings.STOCK_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(DecryptionError):
        decrypt(token)


def test_the_fingerprint_does_not_depend_on_the_encryption_key(settings) -> None:
    before = fingerprint(b"goods")
    settings.STOCK_KEYS = [Fernet.generate_key().decode()]
    assert fingerprint(b"goods") == before
    settings.STOCK_FINGERPRINT_KEY = "another key"
    assert fingerprint(b"goods") != before
