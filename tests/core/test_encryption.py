import pytest
from cryptography.fernet import Fernet

from core.checks import check_stock_keys
from core.encryption import (
    DecryptionError,
    NoUsableKey,
    current_key_id,
    decrypt,
    encrypt,
    fingerprint,
    key_id,
    open_token,
)


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


def test_a_key_is_named_without_telling_anything_of_it() -> None:
    key = Fernet.generate_key().decode()
    assert len(key_id(key)) == 12
    assert key_id(key) not in key
    assert key_id(key) != key_id(Fernet.generate_key().decode())


def test_opening_says_which_key_it_was(settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.STOCK_KEYS = [old]
    token = encrypt(b"goods")
    settings.STOCK_KEYS = [new, old]
    assert open_token(token) == (b"goods", key_id(old))
    assert open_token(encrypt(b"goods")) == (b"goods", key_id(new))
    assert current_key_id() == key_id(new)


@pytest.mark.parametrize("keys", [[], ["no Fernet key"]])
def test_without_a_key_nothing_is_encrypted_and_the_check_says_so(settings, keys) -> None:
    assert check_stock_keys() == []
    settings.STOCK_KEYS = keys
    with pytest.raises(NoUsableKey):
        encrypt(b"goods")
    assert [each.id for each in check_stock_keys()] == ["core.E001"]
