"""Sessions of people, and the refresh tokens that keep them going: each is good for one exchange."""

import datetime as dt
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Update, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.client_address import client_address
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import AccountRow, RefreshTokenRow, SignInRow
from gateway.platform.identity.scopes import account_actor
from gateway.platform.identity.secret_hash import digest
from shared.problems import NotAuthenticated


@dataclass(frozen=True)
class SessionLength:
    """How long a session lasts without use, and at most."""

    idle: dt.timedelta
    whole: dt.timedelta


@dataclass(frozen=True)
class OpenSession:
    """A session of one's own that has not ended. `address` is where it was begun."""

    id: UUID
    started_at: dt.datetime
    last_used_at: dt.datetime
    ends_at: dt.datetime
    address: str | None


@dataclass(frozen=True)
class ProviderSession:
    """The session at the hospital's provider that one of ours comes of.

    Args:
        id: the provider's own name for it; null where it gives none.
        token: asks the provider whether ours may go on, encrypted for our session's id; null where there is none.
    """

    id: str | None
    token: Callable[[UUID], bytes] | None


@dataclass(frozen=True)
class NewToken:
    """A refresh token at the one moment when it is known, and the session it belongs to."""

    token: str
    account_id: UUID
    family: UUID


class RefreshTokens:
    """Begins, keeps up and ends sessions."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def begin(self, account_id: UUID, length: SessionLength) -> NewToken:
        """The first token of a session."""
        async with self._sessions.begin() as session:
            return await begin_session(session, account_id, length)

    async def exchange(self, token: str) -> NewToken:
        """Use a token up and give the next one of its session.

        A token seen twice was stolen, or its replacement was: the whole session ends, and the trail tells.

        Raises:
            NotAuthenticated: unknown, expired, revoked or used before.
        """
        moment = now()
        usable = (RefreshTokenRow.token_hash == digest(token)) & RefreshTokenRow.used_at.is_(None)
        in_time = usable & (RefreshTokenRow.expires_at > moment)
        use = update(RefreshTokenRow).where(in_time).values(used_at=moment).returning(RefreshTokenRow.family)
        async with self._sessions.begin() as session:
            family = await session.scalar(use)
            row = await session.get(SignInRow, family, with_for_update=True) if family else None
            if row is not None and row.revoked_at is None and row.ends_at > moment:
                row.last_used_at = moment
                return _next(session, row, moment)
        await self._end_if_reused(token)
        raise NotAuthenticated("The refresh token is not valid: sign in again.")

    async def end(self, token: str, action: AuditAction) -> None:
        """End the session of a token, with a line of the trail; an unknown token is no error (RFC 7009)."""
        async with self._sessions.begin() as session:
            row = await session.get(RefreshTokenRow, digest(token))
            if row is not None:
                await _end(session, row.account_id, row.family, action)

    async def end_session(self, session_id: UUID, account_id: UUID) -> None:
        """End one session of an account; one that is not the account's, or over, is no error."""
        async with self._sessions.begin() as session:
            row = await session.get(SignInRow, session_id)
            if row is not None and row.account_id == account_id and row.revoked_at is None:
                await _end(session, account_id, session_id, AuditAction.SESSION_ENDED)

    async def open_sessions(self, account_id: UUID) -> list[OpenSession]:
        """An account's sessions that can still go on, newest first."""
        moment = now()
        query = select(SignInRow).where(SignInRow.account_id == account_id, _is_open(moment))
        async with self._sessions() as session:
            rows = (await session.scalars(query.order_by(SignInRow.id.desc()))).all()
        return [
            OpenSession(row.id, row.started_at, row.last_used_at, row.ends_at, row.address)
            for row in rows
            if row.last_used_at + dt.timedelta(seconds=row.idle_s) > moment
        ]

    async def is_over(self, family: UUID) -> bool:
        """Whether a session has ended; its access tokens end with it."""
        query = select(SignInRow.id).where(SignInRow.id == family, _is_open(now()))
        async with self._sessions() as session:
            return await session.scalar(query) is None

    async def _end_if_reused(self, token: str) -> None:
        async with self._sessions.begin() as session:
            row = await session.get(RefreshTokenRow, digest(token))
            if row is not None and row.used_at is not None:
                await _end(session, row.account_id, row.family, AuditAction.REFRESH_TOKEN_REUSED)


async def begin_session(
    session: AsyncSession, account_id: UUID, length: SessionLength, provider: ProviderSession | None = None
) -> NewToken:
    """The first token of a new session, within a transaction.

    Args:
        provider: of a person whom the hospital's provider signed in.
    """
    moment, identity = now(), uuid7()
    row = SignInRow(
        id=identity,
        account_id=account_id,
        started_at=moment,
        last_used_at=moment,
        ends_at=moment + length.whole,
        idle_s=int(length.idle.total_seconds()),
        address=client_address(),
        provider_session=provider and provider.id,
        provider_token=provider.token(identity) if provider and provider.token else None,
        provider_checked_at=moment if provider else None,
    )
    session.add(row)
    await session.flush()
    return _next(session, row, moment)


def end_all_sessions(account_id: UUID) -> Update:
    """The statement that ends every session of an account."""
    return end_sessions(SignInRow.account_id == account_id)


def end_sessions(which: ColumnElement[bool]) -> Update:
    """The statement that ends some sessions, and forgets what the hospital's provider would keep them going by."""
    return update(SignInRow).where(which & SignInRow.revoked_at.is_(None)).values(revoked_at=now(), provider_token=None)


def _is_open(moment: dt.datetime) -> ColumnElement[bool]:
    return SignInRow.revoked_at.is_(None) & (SignInRow.ends_at > moment)


def _next(session: AsyncSession, row: SignInRow, moment: dt.datetime) -> NewToken:
    """A token until the session would have idled too long, and never beyond its end."""
    token = secrets.token_urlsafe(32)
    expires_at = min(moment + dt.timedelta(seconds=row.idle_s), row.ends_at)
    session.add(
        RefreshTokenRow(token_hash=digest(token), account_id=row.account_id, family=row.id, expires_at=expires_at)
    )
    return NewToken(token, row.account_id, row.id)


async def _end(session: AsyncSession, account_id: UUID, family: UUID, action: AuditAction) -> None:
    account = await session.get_one(AccountRow, account_id)
    await session.execute(end_sessions(SignInRow.id == family))
    session.add(audit_row(account.organisation_id, account_actor(account.id), action, f"sign-in:{family}"))
