"""Accounts of people whom the hospital's provider signs in: bound to its name for them, never to an e-mail address."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction, account_made
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import AccountRow, RecoveryCodeRow, SignInRow
from gateway.platform.encryption import KeyEncryptionKey
from gateway.platform.identity.accounts import shut_out
from gateway.platform.identity.delegation import withdraw_handed_on
from gateway.platform.identity.oidc_client import ProviderIdentity
from gateway.platform.identity.refresh_tokens import (
    NewToken,
    ProviderSession,
    SessionLength,
    begin_session,
    end_all_sessions,
    end_sessions,
)
from gateway.platform.identity.scopes import PROVIDER, SCOPES_OF_ROLE, Role, account_actor

# No hash, so nothing matches it.
NO_PASSWORD = "none"  # noqa: S105


class NotTaken(Exception):
    """The provider vouches for somebody who is not let in. `reason` is why, as the pages' catalogues name it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class DueCheck:
    """A session that the provider is to be asked about."""

    family: UUID
    account_id: UUID
    subject: str
    refresh_token: str


class ProviderAccounts:
    """Makes, renews and disables accounts by the provider's word.

    Args:
        sessions: of the installation's database.
        kek: encrypts what sessions are renewed by.
    """

    def __init__(self, sessions: Sessions, kek: KeyEncryptionKey) -> None:
        self._sessions, self._kek = sessions, kek

    async def sign_in(
        self, identity: ProviderIdentity, role: Role, organisation_id: UUID, length: SessionLength
    ) -> NewToken:
        """A session for the person, whose account is made at the first sign-in and gets its role at each.

        Raises:
            NotTaken: another account has the address, or the person's is disabled.
        """
        try:
            return await self._sign_in(identity, role, organisation_id, length)
        except IntegrityError:  # another browser of the same person was first
            return await self._sign_in(identity, role, organisation_id, length)

    async def _sign_in(
        self, identity: ProviderIdentity, role: Role, organisation_id: UUID, length: SessionLength
    ) -> NewToken:
        async with self._sessions.begin() as session:
            row = await self._found(session, identity)
            reason = "disabled" if row is not None and row.disabled_at is not None else None
            if row is None:
                row = await self._new_or_linked(session, identity, role, organisation_id)
                reason = "address_taken" if row is None else None
            if row is not None and reason is None:
                await _renew(session, row, identity, role)
                actor = account_actor(row.id)
                session.add(audit_row(row.organisation_id, actor, AuditAction.SIGN_IN))
                return await begin_session(session, row.id, length, self._session(identity))
            actor = account_actor(row.id) if row else PROVIDER
            whose = row.organisation_id if row else organisation_id
            session.add(audit_row(whose, actor, AuditAction.SIGN_IN, outcome="refused"))
        raise NotTaken(reason or "")

    async def refuse(self, identity: ProviderIdentity, organisation_id: UUID) -> None:
        """The provider gives somebody no role here: one who had one is out, with all that they handed on."""
        async with self._sessions.begin() as session:
            row = await self._found(session, identity)
            if row is not None and row.disabled_at is None:
                await _disable(session, row)
            actor, whose = (account_actor(row.id), row.organisation_id) if row else (PROVIDER, organisation_id)
            session.add(audit_row(whose, actor, AuditAction.SIGN_IN, outcome="refused"))

    async def due(self, family: UUID, issuer: str, interval: dt.timedelta) -> DueCheck | None:
        """The session, where the provider has not been asked about it for a while. Of two who look, one gets it."""
        moment = now()
        old = (SignInRow.provider_checked_at <= moment - interval) & SignInRow.provider_token.is_not(None)
        claim = update(SignInRow).where(SignInRow.id == family, old).values(provider_checked_at=moment)
        async with self._sessions.begin() as session:
            row = (await session.scalars(claim.returning(SignInRow))).one_or_none()
            account = await session.get_one(AccountRow, row.account_id) if row else None
        if row is None or account is None or account.subject is None or account.issuer != issuer:
            return None
        assert row.provider_token is not None  # noqa: S101 -- asked for above
        token = self._kek.unwrap(row.provider_token, family).decode()
        return DueCheck(family, account.id, account.subject, token)

    async def confirm(self, check: DueCheck, identity: ProviderIdentity, role: Role | None) -> None:
        """The provider stands by the person; `role` is null where it did not tell the groups."""
        token = self._session(identity).token
        async with self._sessions.begin() as session:
            account = await session.get_one(AccountRow, check.account_id)
            await _renew(session, account, identity if role else None, role)
            if token is not None:
                mine = (SignInRow.id == check.family) & SignInRow.revoked_at.is_(None)
                await session.execute(update(SignInRow).where(mine).values(provider_token=token(check.family)))

    async def end(self, check: DueCheck) -> None:
        """The provider does not let the session go on."""
        async with self._sessions.begin() as session:
            await _end(session, SignInRow.id == check.family)

    async def shut_out(self, check: DueCheck) -> None:
        """The provider gives the person no role here any more."""
        async with self._sessions.begin() as session:
            account = await session.get_one(AccountRow, check.account_id)
            if account.disabled_at is None:
                await _disable(session, account)

    async def sign_out(self, issuer: str, subject: str | None, provider_session: str | None) -> None:
        """End the sessions that came of one at the provider; all of the person's where it names none."""
        mine = select(AccountRow.id).where(AccountRow.issuer == issuer)
        if subject is not None:
            mine = mine.where(AccountRow.subject == subject)
        which: ColumnElement[bool] = SignInRow.account_id.in_(mine)
        if provider_session is not None:
            named = SignInRow.provider_session == provider_session
            # Of a person who is named, sessions count that the provider gave no name of their own.
            which &= named | SignInRow.provider_session.is_(None) if subject is not None else named
        async with self._sessions.begin() as session:
            await _end(session, which)

    async def disable_unconfirmed(self, longest: dt.timedelta) -> int:
        """Disable accounts that the provider has not stood by for a while: people leave without a last visit."""
        old = (AccountRow.confirmed_at < now() - longest) & AccountRow.disabled_at.is_(None)
        async with self._sessions.begin() as session:
            rows = (await session.scalars(select(AccountRow).where(AccountRow.issuer.is_not(None), old))).all()
            for row in rows:
                await _disable(session, row)
        return len(rows)

    async def _found(self, session: AsyncSession, identity: ProviderIdentity) -> AccountRow | None:
        mine = (AccountRow.issuer == identity.issuer) & (AccountRow.subject == identity.subject)
        return (await session.scalars(select(AccountRow).where(mine).with_for_update())).one_or_none()

    async def _new_or_linked(
        self, session: AsyncSession, identity: ProviderIdentity, role: Role, organisation_id: UUID
    ) -> AccountRow | None:
        """The account of somebody who comes for the first time; null where another account has the address."""
        query = select(AccountRow).where(AccountRow.email == identity.name).with_for_update()
        row = (await session.scalars(query)).one_or_none()
        if row is None:
            row = AccountRow(
                id=uuid7(),
                email=identity.name,
                password_hash=NO_PASSWORD,
                role=role,
                organisation_id=organisation_id,
                created_at=now(),
                issuer=identity.issuer,
                subject=identity.subject,
            )
            session.add(row)
            await session.flush()
            session.add(audit_row(organisation_id, PROVIDER, account_made(role), account_actor(row.id)))
            return row
        if not _may_be_linked(row, identity, organisation_id):
            return None
        row.issuer, row.subject, row.link_until = identity.issuer, identity.subject, None
        row.password_hash, row.must_change_password, row.totp_secret, row.totp_step = NO_PASSWORD, False, None, 0
        await session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.account_id == row.id))
        await session.execute(end_all_sessions(row.id))
        session.add(audit_row(organisation_id, PROVIDER, AuditAction.ACCOUNT_LINKED, account_actor(row.id)))
        return row

    def _session(self, identity: ProviderIdentity) -> ProviderSession:
        token = identity.refresh_token
        return ProviderSession(
            identity.session, (lambda family: self._kek.wrap(token.encode(), family)) if token else None
        )


def _may_be_linked(row: AccountRow, identity: ProviderIdentity, organisation_id: UUID) -> bool:
    allowed = row.link_until is not None and row.link_until > now() and row.disabled_at is None
    return allowed and row.role != "patient" and row.organisation_id == organisation_id and identity.email


async def _renew(session: AsyncSession, row: AccountRow, identity: ProviderIdentity | None, role: Role | None) -> None:
    """The account as the provider has it now: name and role; null leaves them as they are."""
    row.confirmed_at = now()
    if identity is not None and identity.name != row.email:
        taken = await session.scalar(select(AccountRow.id).where(AccountRow.email == identity.name))
        row.email = row.email if taken else identity.name
    if role is not None and role != row.role:
        loses, row.role = not SCOPES_OF_ROLE[row.role] <= SCOPES_OF_ROLE[role], role
        session.add(audit_row(row.organisation_id, PROVIDER, AuditAction.ROLE_CHANGED, account_actor(row.id)))
        if loses:  # nobody leaves behind what they could not hand on now
            await withdraw_handed_on(session, account_actor(row.id), PROVIDER)


async def _disable(session: AsyncSession, row: AccountRow) -> None:
    await shut_out(session, row, PROVIDER)
    session.add(audit_row(row.organisation_id, PROVIDER, AuditAction.ACCOUNT_DISABLED, account_actor(row.id)))


async def _end(session: AsyncSession, which: ColumnElement[bool]) -> None:
    """End sessions, each with a line of the trail."""
    ended = (await session.execute(end_sessions(which).returning(SignInRow.id, SignInRow.account_id))).all()
    for family, account_id in ended:
        account = await session.get_one(AccountRow, account_id)
        action = AuditAction.SESSION_ENDED_BY_PROVIDER
        session.add(audit_row(account.organisation_id, PROVIDER, action, f"sign-in:{family}"))
