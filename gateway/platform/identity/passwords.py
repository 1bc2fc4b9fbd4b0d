"""Passwords by argon2id, off the event loop: one check costs 0.2 s of a core and 64 MiB, so few run at once."""

import secrets

import anyio
from pwdlib import PasswordHash

from gateway.platform.identity.password_rules import check_password

HASHER = PasswordHash.recommended()


class Passwords:
    """Makes and checks password hashes.

    Args:
        at_once: checks running at the same time.
    """

    def __init__(self, at_once: int = 2) -> None:
        self._limiter = anyio.CapacityLimiter(at_once)
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """The argon2id hash to store."""
        return await anyio.to_thread.run_sync(HASHER.hash, password, limiter=self._limiter)

    async def new_hash(self, password: str, email: str) -> str:
        """The hash of a password that somebody chose for the account of this address.

        Raises:
            InvalidInput: it is too short or easily guessed.
        """
        await anyio.to_thread.run_sync(check_password, password, email, limiter=self._limiter)
        return await self.hash(password)

    async def matches(self, password: str, stored: str | None) -> bool:
        """Compare; with no stored hash the same work is done, so that timing does not tell which accounts exist."""
        if self._nobody is None:
            self._nobody = await self.hash(secrets.token_urlsafe())
        matches = await anyio.to_thread.run_sync(HASHER.verify, password, stored or self._nobody, limiter=self._limiter)
        return matches and stored is not None


def new_password() -> str:
    """A random password of 120 bits."""
    return secrets.token_urlsafe(15)
