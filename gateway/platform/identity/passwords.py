"""Passwords by argon2id, off the event loop: one check costs 0.2 s of a core and 64 MiB, so few run at once."""

import secrets

import anyio
from pwdlib import PasswordHash

from gateway.platform.identity.password_rules import check_password
from shared.problems import TooBusy

HASHER = PasswordHash.recommended()
# Who comes after so many would wait for longer than anybody does.
MOST_WAITING = 30


class Passwords:
    """Makes and checks password hashes.

    People who signed in from where they are before have a place of their own: others cannot keep it from them.
    """

    def __init__(self) -> None:
        self._limiter, self._of_known = anyio.CapacityLimiter(1), anyio.CapacityLimiter(1)
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

    async def matches(self, password: str, stored: str | None, is_known: bool = False) -> bool:
        """Compare; with no stored hash the same work is done, so that timing does not tell which accounts exist.

        Raises:
            TooBusy: as many wait as may.
        """
        limiter = self._of_known if is_known else self._limiter
        if limiter.statistics().tasks_waiting >= MOST_WAITING:
            raise TooBusy("Many people sign in right now: try again in a moment.", retry_after_s=5)
        if self._nobody is None:
            self._nobody = await self.hash(secrets.token_urlsafe())
        matches = await anyio.to_thread.run_sync(HASHER.verify, password, stored or self._nobody, limiter=limiter)
        return matches and stored is not None


def new_password() -> str:
    """A random password of 120 bits."""
    return secrets.token_urlsafe(15)
