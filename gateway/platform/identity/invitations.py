"""Invitations in the database: for staff by role, for a patient by the row the hospital has of them."""

import datetime as dt
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import IntegrityError

from gateway.platform.audit import Outcome, audit_row
from gateway.platform.audit_actions import AuditAction, invited
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.idempotency import IdempotentRequest, remember
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import AccountRow, InvitationRow, PatientRow
from gateway.platform.identity.delegation import end_within, require_maker, require_role
from gateway.platform.identity.scopes import Principal, Role, account_actor
from gateway.platform.identity.secret_hash import digest
from shared.problems import Conflict, NotFound


@dataclass(frozen=True)
class Invitation:
    """A place that somebody may take until it expires."""

    id: UUID
    email: str
    role: Role
    patient_id: UUID | None
    created_by: str
    created_at: dt.datetime
    expires_at: dt.datetime


@dataclass(frozen=True)
class NewInvitation:
    """An invitation at the one moment when its token is known."""

    of: Invitation
    token: str = field(repr=False)


class Invitations:
    """Makes, lists, revokes and accepts invitations."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def add(
        self,
        email: str,
        role: Role,
        who: Principal,
        lifetime: dt.timedelta,
        patient_id: UUID | None = None,
        request: IdempotentRequest | None = None,
    ) -> NewInvitation:
        """A new invitation to the inviter's organisation; the answer is the one chance to see its token.

        Raises:
            NotAuthorised: the account could do more than the inviter, or a system invites staff.
            Conflict: the address, or the patient, has an account.
        """
        require_role(who, role)
        email, token, moment = email.strip().lower(), secrets.token_urlsafe(32), now()
        expires_at = end_within(who, moment + lifetime)
        assert expires_at is not None  # noqa: S101 -- no later than the one that is asked for
        row = InvitationRow(
            id=uuid7(),
            organisation_id=who.organisation_id,
            email=email,
            role=role,
            patient_id=patient_id,
            token_hash=digest(token),
            created_by=who.id,
            created_at=moment,
            expires_at=expires_at,
        )
        async with self._sessions.begin() as session:
            await require_maker(session, who.id)
            if await session.scalar(select(AccountRow.id).where(AccountRow.email == email)):
                raise Conflict("There is an account of this e-mail address already.")
            bound = select(PatientRow.account_id).where(PatientRow.id == patient_id)
            if patient_id is not None and await session.scalar(bound):
                raise Conflict("This patient has an account already.")
            session.add(row)
            remember(session, "invitation", who.id, request, row.id, token)
            session.add(audit_row(who.organisation_id, who.id, invited(role), f"invitation:{row.id}"))
        return NewInvitation(_invitation(row), token)

    async def get(self, organisation_id: UUID, invitation_id: UUID) -> Invitation:
        """One of an organisation's, whatever became of it.

        Raises:
            NotFound: it has none under this id.
        """
        async with self._sessions() as session:
            row = await session.get(InvitationRow, invitation_id)
        if row is None or row.organisation_id != organisation_id:
            raise NotFound(f"There is no invitation {invitation_id}.")
        return _invitation(row)

    async def open_ones(self, organisation_id: UUID) -> list[Invitation]:
        """The organisation's invitations that can still be accepted, newest first."""
        query = select(InvitationRow).where(
            InvitationRow.organisation_id == organisation_id,
            InvitationRow.used_at.is_(None),
            InvitationRow.revoked_at.is_(None),
            InvitationRow.expires_at > now(),
        )
        async with self._sessions() as session:
            return [_invitation(row) for row in await session.scalars(query.order_by(InvitationRow.id.desc()))]

    async def revoke(self, invitation_id: UUID, organisation_id: UUID, by: str) -> None:
        """Revoke an invitation.

        Raises:
            NotFound: the organisation has no such invitation that is open.
        """
        mine = (InvitationRow.id == invitation_id) & (InvitationRow.organisation_id == organisation_id)
        still_open = mine & InvitationRow.used_at.is_(None) & InvitationRow.revoked_at.is_(None)
        async with self._sessions.begin() as session:
            done = await session.scalar(
                update(InvitationRow).where(still_open).values(revoked_at=now()).returning(InvitationRow.id)
            )
            outcome: Outcome = "done" if done else "not found"
            session.add(
                audit_row(organisation_id, by, AuditAction.INVITATION_REVOKED, f"invitation:{invitation_id}", outcome)
            )
        if done is None:
            raise NotFound(f"There is no open invitation {invitation_id}.")

    async def of_token(self, token: str) -> Invitation:
        """The open invitation that a token takes.

        Raises:
            NotFound: unknown, used, revoked or expired.
        """
        async with self._sessions() as session:
            row = (await session.scalars(select(InvitationRow).where(_takes(token)))).one_or_none()
        if row is None:
            raise _gone()
        return _invitation(row)

    async def accept(self, token: str, password_hash: str, attach: Callable[[PatientRow, UUID], None]) -> UUID:
        """Use the token up and make the account, in one transaction: of two who take it at once, one gets it.

        Args:
            attach: gives a patient's row its account.

        Raises:
            NotFound: unknown, used, revoked or expired.
            Conflict: the address, or the patient, got an account meanwhile.
        """
        taken = update(InvitationRow).where(_takes(token)).values(used_at=now()).returning(InvitationRow)
        try:
            async with self._sessions.begin() as session:
                row = (await session.scalars(taken)).one_or_none()
                if row is None:
                    raise _gone()
                account = AccountRow(
                    id=uuid7(),
                    email=row.email,
                    password_hash=password_hash,
                    role=row.role,
                    organisation_id=row.organisation_id,
                    created_at=now(),
                )
                session.add(account)
                await session.flush()
                if row.patient_id is not None:
                    patient = await session.get_one(PatientRow, row.patient_id, with_for_update=True)
                    if patient.account_id is not None or patient.erased_at is not None:
                        raise Conflict("This patient has an account already, or was erased.")
                    attach(patient, account.id)
                actor = account_actor(account.id)
                session.add(
                    audit_row(row.organisation_id, actor, AuditAction.INVITATION_ACCEPTED, f"invitation:{row.id}")
                )
        except IntegrityError as error:
            raise Conflict("There is an account of this e-mail address already.") from error
        return account.id


def _takes(token: str) -> ColumnElement[bool]:
    unused = InvitationRow.used_at.is_(None) & InvitationRow.revoked_at.is_(None)
    return (InvitationRow.token_hash == digest(token)) & unused & (InvitationRow.expires_at > now())


def _gone() -> NotFound:
    return NotFound("This invitation is unknown, used, revoked or expired: ask for a new one.")


def _invitation(row: InvitationRow) -> Invitation:
    return Invitation(
        row.id, row.email, cast(Role, row.role), row.patient_id, row.created_by, row.created_at, row.expires_at
    )
