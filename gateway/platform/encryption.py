"""Encryption at rest: AES-256-GCM under a key of each patient's own, wrapped by the installation's key-encryption key.

Who destroys a patient's wrapped key makes everything encrypted with it unreadable. A backup from before has the key.

An encrypted value is one byte of version, 12 bytes of nonce, the cipher text and a tag of 16 bytes (NIST SP 800-38D).
The version also says whether what was encrypted had been compressed before.
`associated_data` is what it belongs to, such as a row's id. It is authenticated and not stored, so a value that was
moved to another row does not open there. A wrapped key names the secret that it was wrapped with: a byte of version,
4 bytes of that secret's id, then an encrypted value. While a secret is renewed there are keys of both.
"""

import hmac
import secrets
import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.settings import GatewaySettings
from shared.problems import TrabeculaError

VERSION, COMPRESSED = b"\x01", b"\x03"
# JSON of an assessment becomes a third of its size in 0.2 ms; the levels above take twice as long for a tenth less.
LEVEL = 1
# Of a wrapped key. Those of the version before, up to 0.1.0, are encrypted values that name no secret.
WRAPPED = b"\x02"
KEY_BYTES = 32
NONCE_BYTES = 12
SECRET_ID_BYTES = 4


class CannotDecrypt(TrabeculaError):
    """An encrypted value does not open: another key or owner, or changed bytes. No caller can mend it."""


def new_data_key() -> bytes:
    """A random key of 256 bits."""
    return AESGCM.generate_key(KEY_BYTES * 8)


def encrypt(key: bytes, plain: bytes, associated_data: bytes, compress: bool = False) -> bytes:
    """Encrypt and authenticate.

    Args:
        key: a data key of 32 bytes.
        associated_data: what the value belongs to; the same bytes have to be given to open it.
        compress: for long text. The size then says a little about the content: nothing that somebody may try out texts
            with, and see the size of what is stored, is to be compressed.
    """
    version, nonce = COMPRESSED if compress else VERSION, secrets.token_bytes(NONCE_BYTES)
    content = zlib.compress(plain, LEVEL) if compress else plain
    return version + nonce + AESGCM(key).encrypt(nonce, content, version + associated_data)


def decrypt(key: bytes, encrypted: bytes, associated_data: bytes) -> bytes:
    """What was encrypted.

    Raises:
        CannotDecrypt: another key, another `associated_data`, or changed bytes.
    """
    version, nonce, cipher = encrypted[:1], encrypted[1 : 1 + NONCE_BYTES], encrypted[1 + NONCE_BYTES :]
    try:
        content = AESGCM(key).decrypt(nonce, cipher, version + associated_data)
    except (InvalidTag, ValueError) as error:
        raise CannotDecrypt(
            "Stored data cannot be deciphered: they were changed, or the data secret (TRABECULA_DATA_SECRET, or the "
            "state folder's file data_secret) is not the one they were written with."
        ) from error
    return zlib.decompress(content) if version == COMPRESSED else content


class KeyEncryptionKey:
    """Wraps the keys of patients, organisations and the audit trail, and seals rows.

    Args:
        secret: the installation's data secret; the key is derived from it, so that it may be any long text.
        other: a second secret, which opens what was wrapped and sealed with it; nothing new is.
    """

    def __init__(self, secret: str, other: str | None = None) -> None:
        self._own = _SecretKeys.of(secret)
        self._known = [self._own, *([_SecretKeys.of(other)] if other else [])]

    def seal(self, content: bytes) -> bytes:
        """What only this installation can make of some content: it shows that nobody else wrote or moved it."""
        return self._own.seal(content)

    def check_seal(self, content: bytes, seal: bytes | None) -> None:
        """See that content is as it was sealed.

        Raises:
            CannotDecrypt: it was changed or moved, or another installation sealed it.
        """
        if seal is None or not any(hmac.compare_digest(keys.seal(content), seal) for keys in self._known):
            raise CannotDecrypt("A stored row was changed by somebody other than this installation.")

    def wrap(self, data_key: bytes, owner: UUID) -> bytes:
        """A data key in the form in which it is stored, bound to the id of its owner."""
        return self._own.prefix + encrypt(self._own.wrapping, data_key, self._own.prefix + owner.bytes)

    def unwrap(self, wrapped: bytes, owner: UUID) -> bytes:
        """The data key.

        Raises:
            CannotDecrypt: another owner's, or wrapped with a secret that is not known here.
        """
        for keys in self._known:
            if wrapped.startswith(keys.prefix):
                return decrypt(keys.wrapping, wrapped.removeprefix(keys.prefix), keys.prefix + owner.bytes)
        return self._unwrap_unnamed(wrapped, owner)

    def is_current(self, wrapped: bytes) -> bool:
        """Whether a key is wrapped with the present secret, and says so."""
        return wrapped.startswith(self._own.prefix)

    def _unwrap_unnamed(self, wrapped: bytes, owner: UUID) -> bytes:
        *others, last = self._known
        for keys in others:
            with suppress(CannotDecrypt):
                return decrypt(keys.wrapping, wrapped, owner.bytes)
        return decrypt(last.wrapping, wrapped, owner.bytes)


def installation_key(settings: GatewaySettings) -> KeyEncryptionKey:
    """The key-encryption key of an installation.

    Raises:
        NoSecret: a key manager does not give the data secret.
    """
    return KeyEncryptionKey(settings.data_key(), settings.other_data_key())


@dataclass(frozen=True)
class _SecretKeys:
    """What is derived from one data secret; `prefix` begins what is wrapped with it."""

    prefix: bytes
    wrapping: bytes
    sealing: bytes

    @classmethod
    def of(cls, secret: str) -> Self:
        identity = _derived(secret, b"trabecula secret id 1")[:SECRET_ID_BYTES]
        return cls(
            WRAPPED + identity, _derived(secret, b"trabecula master key 1"), _derived(secret, b"trabecula row seal 1")
        )

    def seal(self, content: bytes) -> bytes:
        return hmac.digest(self.sealing, content, "sha256")


def _derived(secret: str, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose).derive(secret.encode())
