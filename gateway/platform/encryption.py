"""Encryption at rest: AES-256-GCM under a key of each patient's own, wrapped by the installation's key-encryption key.

Who destroys a patient's wrapped key makes everything encrypted with it unreadable. A backup from before has the key.

An encrypted value is one byte of version, 12 bytes of nonce, the cipher text and a tag of 16 bytes (NIST SP 800-38D).
`associated_data` is what it belongs to, such as a row's id. It is authenticated and not stored, so a value that was
moved to another row does not open there.
"""

import hmac
import secrets
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.problems import TrabeculaError

VERSION = b"\x01"
KEY_BYTES = 32
NONCE_BYTES = 12


class CannotDecrypt(TrabeculaError):
    """An encrypted value does not open: another key or owner, or changed bytes. No caller can mend it."""


def new_data_key() -> bytes:
    """A random key of 256 bits."""
    return AESGCM.generate_key(KEY_BYTES * 8)


def encrypt(key: bytes, plain: bytes, associated_data: bytes) -> bytes:
    """Encrypt and authenticate.

    Args:
        key: a data key of 32 bytes.
        associated_data: what the value belongs to; the same bytes have to be given to open it.
    """
    nonce = secrets.token_bytes(NONCE_BYTES)
    return VERSION + nonce + AESGCM(key).encrypt(nonce, plain, VERSION + associated_data)


def decrypt(key: bytes, encrypted: bytes, associated_data: bytes) -> bytes:
    """What was encrypted.

    Raises:
        CannotDecrypt: another key, another `associated_data`, or changed bytes.
    """
    version, nonce, cipher = encrypted[:1], encrypted[1 : 1 + NONCE_BYTES], encrypted[1 + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, cipher, version + associated_data)
    except (InvalidTag, ValueError) as error:
        raise CannotDecrypt(
            "Stored data cannot be deciphered: they were changed, or TRABECULA_DATA_SECRET (the file data_secret in "
            "the state folder) is not the one they were written with."
        ) from error


class KeyEncryptionKey:
    """Wraps the keys of patients and organisations.

    Args:
        secret: the installation's data secret; the key is derived from it, so that it may be any long text.
    """

    def __init__(self, secret: str) -> None:
        self._key = _derived(secret, b"trabecula master key 1")
        self._seal_key = _derived(secret, b"trabecula row seal 1")

    def seal(self, content: bytes) -> bytes:
        """What only this installation can make of some content: it shows that nobody else wrote or moved it."""
        return hmac.digest(self._seal_key, content, "sha256")

    def check_seal(self, content: bytes, seal: bytes | None) -> None:
        """See that content is as it was sealed.

        Raises:
            CannotDecrypt: it was changed or moved, or another installation sealed it.
        """
        if seal is None or not hmac.compare_digest(self.seal(content), seal):
            raise CannotDecrypt("A stored row was changed by somebody other than this installation.")

    def wrap(self, data_key: bytes, owner: UUID) -> bytes:
        """A data key in the form in which it is stored, bound to the id of its owner."""
        return encrypt(self._key, data_key, owner.bytes)

    def unwrap(self, wrapped: bytes, owner: UUID) -> bytes:
        """The data key.

        Raises:
            CannotDecrypt: another owner's, or wrapped by another installation.
        """
        return decrypt(self._key, wrapped, owner.bytes)


def _derived(secret: str, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose).derive(secret.encode())
