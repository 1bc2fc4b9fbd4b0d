"""Refresh tokens in the database. Those that replaced one another are one sign-in and share a family."""

import datetime as dt
import secrets
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.orm import aliased

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import AccountRow, RefreshTokenRow
from gateway.platform.identity.scopes import account_actor
from gateway.platform.identity.secret_hash import digest
from shared.problems import NotAuthenticated


@dataclass(frozen=True)
class NewToken:
    """A refresh token at the one moment when it is known, and the sign-in it belongs to."""

    token: str
    account_id: UUID
    family: UUID


class RefreshTokens:
    """Hands out refresh tokens, each good for one exchange.

    Args:
        sessions: of the installation's database.
        lifetime: how long a token is good for.
    """

    def __init__(self, sessions: Sessions, lifetime: dt.timedelta) -> None:
        self._sessions, self._lifetime = sessions, lifetime

    async def begin(self, account_id: UUID) -> NewToken:
        """The first token of a sign-in."""
        return await self._add(account_id, uuid7())

    async def exchange(self, token: str) -> NewToken:
        """Use a token up and give the next one of its sign-in.

        A token seen twice was stolen, or its replacement was: the whole sign-in ends, and the trail tells.

        Raises:
            NotAuthenticated: unknown, expired, revoked or used before.
        """
        moment = now()
        over = aliased(RefreshTokenRow)
        ended = exists().where(over.family == RefreshTokenRow.family, over.revoked_at.is_not(None))
        usable = RefreshTokenRow.used_at.is_(None) & ~ended
        async with self._sessions.begin() as session:
            used = await session.execute(
                update(RefreshTokenRow)
                .where(RefreshTokenRow.token_hash == digest(token), usable, RefreshTokenRow.expires_at > moment)
                .values(used_at=moment)
                .returning(RefreshTokenRow.account_id, RefreshTokenRow.family)
            )
            sign_in = used.one_or_none()
        if sign_in is None:
            await self.end(token, AuditAction.REFRESH_TOKEN_REUSED)
            raise NotAuthenticated("The refresh token is not valid: sign in again.")
        return await self._add(sign_in.account_id, sign_in.family)

    async def end(self, token: str, action: AuditAction) -> None:
        """End the sign-in of a token, with a line of the trail; an unknown token is no error (RFC 7009)."""
        async with self._sessions.begin() as session:
            row = await session.get(RefreshTokenRow, digest(token))
            if row is None:
                return
            account = await session.get_one(AccountRow, row.account_id)
            await session.execute(
                update(RefreshTokenRow)
                .where(RefreshTokenRow.family == row.family, RefreshTokenRow.revoked_at.is_(None))
                .values(revoked_at=now())
            )
            session.add(audit_row(account.organisation_id, account_actor(account.id), action, f"sign-in:{row.family}"))

    async def is_over(self, family: UUID) -> bool:
        """Whether a sign-in was ended; its access tokens end with it."""
        query = select(RefreshTokenRow.family).where(
            RefreshTokenRow.family == family, RefreshTokenRow.revoked_at.is_not(None)
        )
        async with self._sessions() as session:
            return await session.scalar(query.limit(1)) is not None

    async def _add(self, account_id: UUID, family: UUID) -> NewToken:
        token = secrets.token_urlsafe(32)
        async with self._sessions.begin() as session:
            session.add(
                RefreshTokenRow(
                    token_hash=digest(token), account_id=account_id, family=family, expires_at=now() + self._lifetime
                )
            )
        return NewToken(token, account_id, family)
