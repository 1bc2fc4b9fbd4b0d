import pytest

from gateway.platform.database.ids import uuid7
from gateway.platform.encryption import CannotDecipher, MasterKey, new_data_key, seal, unseal

SECRET = "a secret that is long enough for a test of keys"


def test_what_is_sealed_opens_with_its_key_and_its_owner_only():
    key, about = new_data_key(), b"row 1"
    sealed = seal(key, b"T-score -2.7", about)
    assert b"T-score" not in sealed
    assert sealed != seal(key, b"T-score -2.7", about)
    assert unseal(key, sealed, about) == b"T-score -2.7"
    for other, value, owner in (
        (new_data_key(), sealed, about),
        (key, sealed, b"row 2"),
        (key, sealed[:-1] + bytes([sealed[-1] ^ 1]), about),
        (key, b"\x02" + sealed[1:], about),
        (key, b"", about),
    ):
        with pytest.raises(CannotDecipher, match="data_secret"):
            unseal(other, value, owner)


def test_a_wrapped_key_is_bound_to_its_owner_and_to_the_installation():
    master, owner, key = MasterKey(SECRET), uuid7(), new_data_key()
    wrapped = master.wrap(key, owner)
    assert key not in wrapped
    assert len(wrapped) <= 128
    assert MasterKey(SECRET).unwrap(wrapped, owner) == key
    with pytest.raises(CannotDecipher):
        master.unwrap(wrapped, uuid7())
    with pytest.raises(CannotDecipher):
        MasterKey(SECRET + "x").unwrap(wrapped, owner)
