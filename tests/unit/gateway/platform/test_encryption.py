import pytest

from gateway.platform.database.ids import uuid7
from gateway.platform.encryption import CannotDecrypt, KeyEncryptionKey, decrypt, encrypt, new_data_key

SECRET = "a secret that is long enough for a test of keys"


def test_what_is_sealed_opens_with_its_key_and_its_owner_only():
    key, about = new_data_key(), b"row 1"
    sealed = encrypt(key, b"T-score -2.7", about)
    assert b"T-score" not in sealed
    assert sealed != encrypt(key, b"T-score -2.7", about)
    assert decrypt(key, sealed, about) == b"T-score -2.7"
    for other, value, owner in (
        (new_data_key(), sealed, about),
        (key, sealed, b"row 2"),
        (key, sealed[:-1] + bytes([sealed[-1] ^ 1]), about),
        (key, b"\x02" + sealed[1:], about),
        (key, b"", about),
    ):
        with pytest.raises(CannotDecrypt, match="data_secret"):
            decrypt(other, value, owner)


def test_long_text_is_compressed_and_says_so():
    key, text = new_data_key(), b'{"category": "high"}' * 500
    sealed = encrypt(key, text, b"row 1", compress=True)
    assert len(sealed) < len(text) / 10
    assert decrypt(key, sealed, b"row 1") == text
    with pytest.raises(CannotDecrypt):
        decrypt(key, encrypt(key, text, b"row 1")[:1] + sealed[1:], b"row 1")


def test_a_wrapped_key_is_bound_to_its_owner_and_to_the_installation():
    master, owner, key = KeyEncryptionKey(SECRET), uuid7(), new_data_key()
    wrapped = master.wrap(key, owner)
    assert key not in wrapped
    assert len(wrapped) <= 128
    assert KeyEncryptionKey(SECRET).unwrap(wrapped, owner) == key
    with pytest.raises(CannotDecrypt):
        master.unwrap(wrapped, uuid7())
    with pytest.raises(CannotDecrypt):
        KeyEncryptionKey(SECRET + "x").unwrap(wrapped, owner)
