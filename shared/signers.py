"""Whom an installation trusts to sign model packages, as its setting names them. Needs no cryptography to be read."""

import base64
import binascii

SETTING = "TRABECULA_MODEL_SIGNERS"
KEY_BYTES = 32


def read_signers(setting: str) -> dict[str, str]:
    """The public keys by the names of their holders.

    Args:
        setting: `name:key`, several apart by spaces; a key is 32 bytes in base64, as `make_key` gives it.

    Raises:
        ValueError: it is written otherwise.
    """
    signers = {}
    for one in setting.split():
        name, colon, key = one.partition(":")
        if not (name and colon and len(decoded(key)) == KEY_BYTES):
            raise ValueError("write name:key, with the key as 'trabecula model make-key' prints it; spaces between two")
        signers[name] = key
    return signers


def decoded(written: str) -> bytes:
    """What stands there in base64; nothing where it is none."""
    try:
        return base64.b64decode(written, validate=True)
    except binascii.Error:
        return b""
