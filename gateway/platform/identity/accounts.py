"""Organisations and people in the database."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, cast
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.audit import Outcome, audit_row
from gateway.platform.audit_actions import AuditAction, account_made
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import AccountRow, OrganisationRow, PatientRow
from gateway.platform.identity.delegation import require_scopes, withdraw_handed_on
from gateway.platform.identity.refresh_tokens import end_all_sessions
from gateway.platform.identity.scopes import ACCOUNT, SCOPES_OF_ROLE, Principal, Role, account_actor
from gateway.platform.paging import Page, paged
from shared.problems import Conflict, NotAuthenticated, NotFound


@dataclass(frozen=True)
class Account:
    """A person who signs in, as an administrator sees them.

    Until `link_until` the person whom the hospital's provider knows by the same e-mail address may take it over.
    """

    id: UUID
    organisation_id: UUID
    email: str
    role: Role
    created_at: dt.datetime
    disabled_at: dt.datetime | None
    sign_in: Literal["password", "provider"]
    link_until: dt.datetime | None


class Accounts:
    """Reads and writes organisations and accounts.

    Args:
        sessions: of the installation's database.
        second_factor: whether staff need one.
    """

    def __init__(self, sessions: Sessions, second_factor: bool = False) -> None:
        self._sessions, self._second_factor = sessions, second_factor

    async def first_organisation(self, name: str) -> UUID:
        """The oldest organisation; made under this name if there is none."""
        async with self._sessions() as session:
            oldest = await session.scalar(select(OrganisationRow.id).order_by(OrganisationRow.id).limit(1))
        return oldest or await self.get_or_create_organisation(name)

    async def get_or_create_organisation(self, name: str) -> UUID:
        """The organisation of this name; made if there is none."""
        query = select(OrganisationRow.id).where(OrganisationRow.name == name)
        async with self._sessions.begin() as session:
            organisation_id = await session.scalar(query)
            if organisation_id is None:
                organisation_id = uuid7()
                session.add(OrganisationRow(id=organisation_id, name=name, created_at=now()))
            return organisation_id

    async def organisation_name(self, organisation_id: UUID) -> str:
        """How an organisation is called."""
        async with self._sessions() as session:
            return (await session.get_one(OrganisationRow, organisation_id)).name

    async def any_administrator(self) -> bool:
        """Whether somebody can administer the installation."""
        query = select(AccountRow.id).where(AccountRow.role == "administrator", AccountRow.disabled_at.is_(None))
        async with self._sessions() as session:
            return await session.scalar(query.limit(1)) is not None

    async def add_account(
        self,
        email: str,
        password_hash: str,
        role: Role,
        organisation_id: UUID,
        patient: Callable[[UUID], PatientRow] | None = None,
        by: str = "operator",
        must_change_password: bool = False,
    ) -> UUID:
        """A new account, with its line of the trail.

        Args:
            patient: makes the row of the patient whose own account it is, of the account's id.

        Raises:
            Conflict: the address has one.
        """
        row = AccountRow(
            id=uuid7(),
            email=email.strip().lower(),
            password_hash=password_hash,
            role=role,
            organisation_id=organisation_id,
            created_at=now(),
            must_change_password=must_change_password,
        )
        try:
            async with self._sessions.begin() as session:
                session.add(row)
                await session.flush()
                if patient is not None:
                    session.add(patient(row.id))
                session.add(audit_row(organisation_id, by, account_made(role), account_actor(row.id)))
        except IntegrityError as error:
            raise Conflict("There is an account of this e-mail address already.") from error
        return row.id

    async def by_email(self, email: str, with_password: bool = True) -> AccountRow | None:
        """The account that is not disabled, if there is one; of those with a password here, or of all."""
        if not email.isprintable():  # no address, and PostgreSQL cannot even look for some of it
            return None
        query = select(AccountRow).where(AccountRow.email == email.strip().lower(), AccountRow.disabled_at.is_(None))
        if with_password:
            query = query.where(AccountRow.issuer.is_(None))
        async with self._sessions() as session:
            return (await session.scalars(query)).one_or_none()

    async def get(self, account_id: UUID) -> Account:
        """One account.

        Raises:
            NotFound: there is none.
        """
        async with self._sessions() as session:
            row = await session.get(AccountRow, account_id)
        if row is None:
            raise NotFound(f"There is no account {account_id}.")
        return _account(row)

    async def emails(self, organisation_id: UUID, actors: Iterable[str]) -> dict[str, str]:
        """The addresses of those of some actors who are accounts of the organisation."""
        ids = [UUID(actor.removeprefix(ACCOUNT)) for actor in set(actors) if actor.startswith(ACCOUNT)]
        ours = (AccountRow.organisation_id == organisation_id) & AccountRow.id.in_(ids)
        async with self._sessions() as session:
            rows = await session.execute(select(AccountRow.id, AccountRow.email).where(ours))
        return {account_actor(identity): email for identity, email in rows}

    async def page(self, organisation_id: UUID, limit: int, before: UUID | None = None) -> Page[Account, UUID]:
        """The organisation's accounts, newest first; `before` is the last id of the page before."""
        query = select(AccountRow).where(AccountRow.organisation_id == organisation_id)
        if before is not None:
            query = query.where(AccountRow.id < before)
        async with self._sessions() as session:
            rows = await session.scalars(query.order_by(AccountRow.id.desc()).limit(limit + 1))
            accounts = [_account(row) for row in rows]
        return paged(accounts, limit, lambda account: account.id)

    async def person(self, account_id: UUID) -> Principal:
        """The person behind a verified access token.

        Raises:
            NotAuthenticated: the account is gone or disabled since the token was issued.
        """
        # Whoever was merged with another patient sees what there is of both.
        seen = func.coalesce(PatientRow.merged_into, PatientRow.id)
        query = select(AccountRow, seen).outerjoin(PatientRow, PatientRow.account_id == AccountRow.id)
        async with self._sessions() as session:
            account = (await session.execute(query.where(AccountRow.id == account_id))).one_or_none()
        if account is None or account[0].disabled_at is not None:
            raise NotAuthenticated("The account of this token is disabled.")
        row, patient_id = account
        if row.role == "patient" and patient_id is None:
            raise NotAuthenticated("The patient of this account was erased.")
        role, owes = cast(Role, row.role), self._owes(row)
        return Principal(account_actor(row.id), row.organisation_id, SCOPES_OF_ROLE[role], role, patient_id, owes=owes)

    def _owes(self, row: AccountRow) -> Literal["password", "second factor"] | None:
        if row.must_change_password:
            return "password"
        # Of its own people the provider asks for it, as the site's settings say.
        needs = self._second_factor and row.role != "patient" and row.issuer is None
        return "second factor" if needs and row.totp_secret is None else None

    async def set_password(self, account_id: UUID, password_hash: str, by: str, must_change: bool = False) -> None:
        """A new password, which may have to be changed in the browser; every session of the old one ends.

        An account that the hospital's provider signed in is a local one from then on.
        """
        async with self._sessions.begin() as session:
            row = await session.get_one(AccountRow, account_id)
            row.password_hash, row.must_change_password = password_hash, must_change
            row.issuer = row.subject = row.confirmed_at = None
            await session.execute(end_all_sessions(account_id))
            session.add(audit_row(row.organisation_id, by, AuditAction.PASSWORD_CHANGED, account_actor(account_id)))

    async def reset_password(self, account_id: UUID, password_hash: str, who: Principal) -> Account:
        """A temporary password from an administrator, to be changed in the browser; every session of the old one ends.

        Raises:
            NotFound: the caller's organisation has no such account that is not disabled.
            NotAuthorised: it can do more than the caller.
            Conflict: the hospital's provider signs it in.
        """
        async with self._sessions.begin() as session:
            row = await session.get(AccountRow, account_id)
            fits = row is not None and row.organisation_id == who.organisation_id and row.disabled_at is None
            if row is not None and fits:
                require_scopes(who, SCOPES_OF_ROLE[row.role])
                if row.issuer is not None:
                    raise Conflict("The hospital's sign-in provider keeps this account's password: reset it there.")
                row.password_hash, row.must_change_password = password_hash, True
                await session.execute(end_all_sessions(account_id))
            outcome: Outcome = "done" if fits else "not found"
            subject = account_actor(account_id)
            session.add(audit_row(who.organisation_id, who.id, AuditAction.PASSWORD_RESET, subject, outcome))
        if row is None or not fits:
            raise NotFound(f"There is no account {account_id} that is not disabled.")
        return _account(row)

    async def patient_of(self, account_id: UUID, organisation_id: UUID) -> UUID | None:
        """The patient of the organisation whose own account it is; null where it is staff's or there is none."""
        mine = (PatientRow.account_id == account_id) & (PatientRow.organisation_id == organisation_id)
        async with self._sessions() as session:
            return await session.scalar(select(PatientRow.id).where(mine))

    async def actor_of(self, organisation_id: UUID, email: str) -> str | None:
        """How the trail names the organisation's account of this e-mail address; null where there is none."""
        ours = (AccountRow.organisation_id == organisation_id) & (AccountRow.email == email.strip().lower())
        async with self._sessions() as session:
            identity = await session.scalar(select(AccountRow.id).where(ours))
        return account_actor(identity) if identity else None

    async def set_disabled(self, account_id: UUID, disabled: bool, who: Principal) -> Account:
        """Disable an account, which ends its sign-ins and all that it handed on at once, or enable it again.

        Raises:
            NotFound: the caller's organisation has no such account.
            NotAuthorised: it could do more than whoever enables it.
        """
        action = AuditAction.ACCOUNT_DISABLED if disabled else AuditAction.ACCOUNT_ENABLED
        async with self._sessions.begin() as session:
            row = await session.get(AccountRow, account_id)
            is_ours = row is not None and row.organisation_id == who.organisation_id
            if row is not None and is_ours:
                if disabled:
                    await shut_out(session, row, who.id)
                else:
                    require_scopes(who, SCOPES_OF_ROLE[row.role])
                    row.disabled_at = None
                    row.confirmed_at = now() if row.issuer else None
            outcome: Outcome = "done" if is_ours else "not found"
            session.add(audit_row(who.organisation_id, who.id, action, account_actor(account_id), outcome))
        if row is None or not is_ours:
            raise NotFound(f"There is no account {account_id}.")
        return _account(row)

    async def allow_link(self, account_id: UUID, until: dt.datetime | None, who: Principal) -> Account:
        """Let the provider's person of the same e-mail address take an account over; null takes the word back.

        It may be local, or of somebody whom the provider knew by another name, or another provider did.

        Raises:
            NotFound: the caller's organisation has no such account of staff.
            NotAuthorised: it can do more than whoever gives it away.
        """
        async with self._sessions.begin() as session:
            row = await session.get(AccountRow, account_id)
            is_ours = row is not None and row.organisation_id == who.organisation_id
            fits = row is not None and is_ours and row.role != "patient"
            if row is not None and fits:
                require_scopes(who, SCOPES_OF_ROLE[row.role])
                row.link_until = until
            outcome: Outcome = "done" if fits else "not found"
            subject = account_actor(account_id)
            session.add(audit_row(who.organisation_id, who.id, AuditAction.ACCOUNT_LINK_ALLOWED, subject, outcome))
        if row is None or not fits:
            raise NotFound(f"There is no account {account_id} of staff.")
        return _account(row)


async def shut_out(session: AsyncSession, row: AccountRow, by: str) -> None:
    """Disable an account, which ends its sessions and all that it handed on, within a transaction."""
    row.disabled_at = row.disabled_at or now()
    await session.execute(end_all_sessions(row.id))
    await withdraw_handed_on(session, account_actor(row.id), by)


def _account(row: AccountRow) -> Account:
    return Account(
        row.id,
        row.organisation_id,
        row.email,
        cast(Role, row.role),
        row.created_at,
        row.disabled_at,
        "provider" if row.issuer else "password",
        row.link_until,
    )
