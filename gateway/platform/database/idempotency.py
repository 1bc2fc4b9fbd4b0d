"""A request that may be sent again: its key, and a digest that tells another request from the same one.

What was made is remembered in the transaction that makes it, under a hash of the caller and the key. The same request
finds it again instead of making a second one; so does one of two that come at the same moment.
"""

import datetime as dt
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import IdempotentRequestRow
from gateway.platform.encryption import decrypt, encrypt
from shared.problems import Conflict

# What a key makes: the same key may be used once for each.
Made = Literal["assessment", "batch", "measurement", "key", "invitation", "webhook", "emergency access", "delivery"]
# How long a secret that is shown once can be shown again to the request that it was made for.
SECRET_KEPT = dt.timedelta(hours=24)
Result = TypeVar("Result")


@dataclass(frozen=True)
class IdempotentRequest:
    """An idempotency key with the digest of the request it was sent with.

    Args:
        organisation_key: what a secret that comes of it is encrypted under, with the key itself, which is not stored.
    """

    key: str
    digest: bytes
    organisation_key: bytes | None = field(default=None, repr=False)

    def stored_key(self, caller: str) -> str:
        """The key as it is stored: a hash with the caller, since senders make keys of patients' numbers."""
        return hashlib.sha256(f"{caller}\n{self.key}".encode()).hexdigest()

    def sealing_key(self) -> bytes:
        """Opens a secret that came of this request: it takes the database, the data secret and the caller's own key."""
        assert self.organisation_key is not None  # noqa: S101 -- whatever makes a secret is given it
        return hmac.digest(self.organisation_key, b"trabecula repeated request 1" + self.key.encode(), "sha256")


@dataclass(frozen=True)
class Earlier:
    """What came of the same request before.

    Args:
        subject: the id of what was made.
        secret: its secret, where it has one that can still be shown.
    """

    subject: str
    secret: str | None = field(repr=False, default=None)

    def shown_secret(self) -> str:
        """The secret.

        Raises:
            Conflict: it is not kept any more.
        """
        if self.secret is None:
            raise Conflict(
                "This was made with the same Idempotency-Key more than a day ago, and its secret is not kept so long: "
                "renew it, or make another one with another Idempotency-Key."
            )
        return self.secret


def request_digest(*parts: bytes) -> bytes:
    """SHA-256 of everything that was sent, each part with its length, so that nothing moves from one to the next."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.digest()


def remember(
    session: AsyncSession,
    made: Made,
    caller: str,
    request: IdempotentRequest | None,
    subject: object,
    secret: str | None = None,
) -> None:
    """Remember what comes of a request, in the transaction that makes it; nothing where it has no key.

    The flush raises `IntegrityError` where the same request is stored meanwhile.
    """
    if request is None:
        return
    stored = request.stored_key(caller)
    sealed = secret and encrypt(request.sealing_key(), secret.encode(), f"{made} {stored}".encode())
    session.add(
        IdempotentRequestRow(
            made=made,
            key=stored,
            digest=request.digest,
            subject=str(subject),
            secret=sealed or None,
            created_at=now(),
        )
    )


async def earlier(session: AsyncSession, made: Made, caller: str, request: IdempotentRequest) -> Earlier | None:
    """What came of the same request of this caller before.

    Raises:
        Conflict: the key was used for another request.
    """
    row = await session.get(IdempotentRequestRow, (made, request.stored_key(caller)))
    if row is None:
        return None
    if row.digest != request.digest:
        raise Conflict("This Idempotency-Key was used for another request: send a new key.")
    bound = f"{made} {row.key}".encode()
    return Earlier(row.subject, decrypt(request.sealing_key(), row.secret, bound).decode() if row.secret else None)


async def forget(session: AsyncSession, subjects: Iterable[object]) -> None:
    """Forget the requests that made something, in the transaction that erases it."""
    named = [str(subject) for subject in subjects]
    await session.execute(delete(IdempotentRequestRow).where(IdempotentRequestRow.subject.in_(named)))


@dataclass(frozen=True)
class Repeats:
    """Makes something once for each request, however often it is sent.

    Args:
        sessions: of the installation's database.
    """

    sessions: Sessions

    async def once(
        self,
        made: Made,
        caller: str,
        request: IdempotentRequest | None,
        make: Callable[[], Awaitable[Result]],
        again: Callable[[Earlier], Awaitable[Result]],
    ) -> tuple[Result, bool]:
        """What the request makes, or made before; and whether it was before.

        Args:
            make: makes it, and remembers it in its transaction.
            again: finds what was made.

        Raises:
            Conflict: the key was used for another request.
        """
        if request is None:
            return await make(), False
        if found := await self._earlier(made, caller, request):
            return await again(found), True
        try:
            return await make(), False
        except (IntegrityError, Conflict):  # maybe with itself: it came twice at once, and the other one was first
            found = await self._earlier(made, caller, request)
            if found is None:
                raise
            return await again(found), True

    async def _earlier(self, made: Made, caller: str, request: IdempotentRequest) -> Earlier | None:
        async with self.sessions() as session:
            return await earlier(session, made, caller, request)
