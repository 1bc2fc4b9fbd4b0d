"""A request that may be sent again: the caller's key, and a digest that tells another request from the same one."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class IdempotentRequest:
    """An idempotency key with the digest of the request it was sent with."""

    key: str
    digest: bytes

    def stored_key(self, caller: str) -> str:
        """The key as it is stored: a hash with the caller, since senders make keys of patients' numbers."""
        return hashlib.sha256(f"{caller}\n{self.key}".encode()).hexdigest()


def request_digest(*parts: bytes) -> bytes:
    """SHA-256 of everything that was sent, each part with its length, so that nothing moves from one to the next."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.digest()
