"""Accounts: patients register themselves, staff are invited, people guard their password, administrators see all."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from gateway.platform.audit import Audit
from gateway.platform.audit_actions import AuditAction, account_made
from gateway.platform.clock import now
from gateway.platform.database.idempotency import Earlier, IdempotentRequest, Repeats
from gateway.platform.identity.accounts import Account, Accounts
from gateway.platform.identity.delegation import require_role
from gateway.platform.identity.invitations import Invitation, Invitations, NewInvitation
from gateway.platform.identity.passwords import Passwords, new_password
from gateway.platform.identity.refresh_tokens import OpenSession, RefreshTokens
from gateway.platform.identity.registration_code import is_registration_code
from gateway.platform.identity.scopes import Principal, Role
from gateway.platform.identity.second_factor import NewSecondFactor, SecondFactors, of_secret
from gateway.platform.identity.sign_in import SignIn
from gateway.platform.identity.sign_in_delays import SignInDelays
from gateway.platform.paging import Page
from gateway.platform.validators import checked_patient_number
from gateway.records.patient_records import PatientRecords
from gateway.records.patients import Patients
from gateway.settings import GatewaySettings
from shared.problems import Conflict, InvalidInput, NotAuthorised

# How long an account may be taken over by the provider's person of the same address.
LINK_LASTS = dt.timedelta(days=7)


@dataclass(frozen=True)
class InvitationWanted:
    """Who is invited. A patient is named by the hospital's own number; only administrators invite staff."""

    email: str
    role: Role
    patient_number: str | None = None
    lifetime: dt.timedelta = dt.timedelta(hours=72)


@dataclass(frozen=True)
class AccountUseCases:
    """What people and administrators do with accounts and invitations."""

    accounts: Accounts
    invitations: Invitations
    patients: Patients
    records: PatientRecords
    passwords: Passwords
    sign_in: SignIn
    delays: SignInDelays
    sessions: RefreshTokens
    second_factors: SecondFactors
    audit: Audit
    repeats: Repeats
    settings: GatewaySettings

    async def register(self, email: str, password: str, code: str) -> None:
        """A patient registers with the clinic's code; staff are invited instead. Bound to no record of the hospital's.

        Nothing tells whether the address has an account already: that somebody is a patient here is nobody's business.

        Raises:
            NotAuthorised: registration is switched off here, or the code is another one.
            InvalidInput: the password is too short or easily guessed.
            TooManyAttempts: wait a minute.
        """
        if not self.settings.is_registration_open():
            raise NotAuthorised("Registration is switched off here: ask the clinic for an invitation.")
        await self.delays.count_address()
        if not is_registration_code(code, self.settings.registration_secret()):
            raise NotAuthorised("This is not the clinic's registration code: ask the clinic for it.")
        hashed = await self.passwords.new_hash(password, email)
        organisation = await self.accounts.first_organisation(self.settings.organisation)
        try:
            await self.accounts.add_account(
                email,
                hashed,
                "patient",
                organisation,
                lambda account_id: self.patients.new_row(organisation, account_id=account_id),
                "nobody",
            )
        except Conflict:
            await self.audit.write(organisation, "nobody", account_made("patient"), outcome="refused")

    async def change_password(self, who: Principal, current: str, new: str) -> None:
        """Change one's own password. Every sign-in of the account ends.

        Raises:
            NotAuthorised: a hospital system, or a person whom the hospital's provider signs in, has no password here.
            NotAuthenticated: the current password is wrong.
            InvalidInput: the new one is too short or easily guessed.
            TooManyAttempts: wait a minute.
        """
        if who.account_id is None:
            raise NotAuthorised("A hospital system has no password: rotate its key.")
        account = await self.accounts.get(who.account_id)
        if account.sign_in == "provider":
            raise NotAuthorised("Change the password at the hospital's sign-in provider: there is none here.")
        await self.sign_in.account(account.email, current, None)
        hashed = await self.passwords.new_hash(new, account.email)
        await self.accounts.set_password(account.id, hashed, who.id)

    async def own_sessions(self, who: Principal) -> list[OpenSession]:
        """Where somebody is signed in, newest first; a hospital system nowhere."""
        return await self.sessions.open_sessions(who.account_id) if who.account_id else []

    async def end_session(self, who: Principal, session_id: UUID) -> None:
        """End one of somebody's own sessions; one that is over, or another's, is no error."""
        if who.account_id:
            await self.sessions.end_session(session_id, who.account_id)

    def needs_second_factor(self, who: Principal) -> bool:
        """Whether somebody has to set one up before anything else."""
        return who.owes == "second factor"

    def new_second_factor(self, email: str) -> NewSecondFactor:
        """A secret for an authenticator app; nothing is stored yet."""
        return self.second_factors.new(email)

    def second_factor_of(self, secret: bytes, email: str) -> NewSecondFactor:
        """The same of a secret that was offered before."""
        return of_secret(secret, email)

    async def set_second_factor(self, who: Principal, secret: bytes, code: str) -> list[str]:
        """Let a secret count; gives the recovery codes, which are shown this once.

        Raises:
            NotAuthorised: nobody asks it of this caller.
            InvalidInput: the code is not of this secret.
        """
        if who.account_id is None or not self.needs_second_factor(who):
            raise NotAuthorised("No second factor is to be set up here.")
        return await self.second_factors.set(who.account_id, secret, code)

    async def named(self, who: Principal, name: str) -> str:
        """How the trail names the account of this e-mail address in the caller's organisation; else the name itself."""
        return (await self.accounts.actor_of(who.organisation_id, name) if "@" in name else None) or name

    async def reset_password(self, account_id: UUID, who: Principal) -> tuple[Account, str]:
        """Give an account a temporary password, to be changed at the next sign-in; every sign-in of it ends.

        Raises:
            NotFound: the organisation has no such account that is not disabled.
            NotAuthorised: it can do more than the caller.
            Conflict: one's own account, or one whose password is the hospital's sign-in provider's.
            PatientRestricted: the caller has to open the record of the patient whose account it is first.
        """
        if who.account_id == account_id:
            raise Conflict("Change your own password on your account's page.")
        patient_id = await self.accounts.patient_of(account_id, who.organisation_id)
        if patient_id is not None:  # whoever holds the patient's account reads the record
            await self.records.find(who, patient_id, AuditAction.PATIENT_READ)
        password = new_password()
        hashed = await self.passwords.hash(password)
        return await self.accounts.reset_password(account_id, hashed, who), password

    async def emails(self, who: Principal, actors: Iterable[str]) -> dict[str, str]:
        """The addresses of those of some actors who are accounts of the caller's organisation."""
        return await self.accounts.emails(who.organisation_id, actors)

    async def allow_link(self, account_id: UUID, allowed: bool, who: Principal) -> Account:
        """Let the provider's person of the same e-mail address take an account over for a while, or take that back.

        Raises:
            NotFound: the organisation has no such account of staff.
            NotAuthorised: it can do more than the caller.
        """
        return await self.accounts.allow_link(account_id, now() + LINK_LASTS if allowed else None, who)

    async def page(self, who: Principal, limit: int, before: UUID | None) -> Page[Account, UUID]:
        """The organisation's accounts, newest first."""
        accounts = await self.accounts.page(who.organisation_id, limit, before)
        await self.audit.write(who.organisation_id, who.id, AuditAction.ACCOUNTS_LISTED)
        return accounts

    async def set_disabled(self, account_id: UUID, disabled: bool, who: Principal) -> Account:
        """Disable an account, which ends its sign-ins and all that it handed on at once, or enable it again.

        Raises:
            Conflict: one's own account.
            NotFound: the organisation has no such account.
            NotAuthorised: it could do more than whoever enables it.
        """
        if disabled and who.account_id == account_id:
            raise Conflict("You cannot disable your own account: ask another administrator.")
        return await self.accounts.set_disabled(account_id, disabled, who)

    async def invite(
        self, wanted: InvitationWanted, who: Principal, request: IdempotentRequest | None = None
    ) -> tuple[NewInvitation, bool]:
        """Invite somebody to one's own organisation; and whether the same request did before.

        The token is shown in this answer, and for a day to the same request.

        Raises:
            Conflict: the request's key was used for another one, or more than a day ago.
            InvalidInput: a patient without a number.
            NotAuthorised: the account could do more than the inviter; staff are invited by administrators alone.
            Conflict: the address, or the patient, has an account.
            PatientRestricted: the inviter has to open the patient's record first.
        """
        require_role(who, wanted.role)  # before a patient is made for it

        async def again(before: Earlier) -> NewInvitation:
            known = await self.invitations.get(who.organisation_id, UUID(before.subject))
            return NewInvitation(known, before.shown_secret())

        return await self.repeats.once(
            "invitation", who.id, request, partial(self._invite, wanted, who, request), again
        )

    async def _invite(
        self, wanted: InvitationWanted, who: Principal, request: IdempotentRequest | None
    ) -> NewInvitation:
        patient_id = None
        if wanted.role == "patient":
            number = checked_patient_number(wanted.patient_number)
            if number is None:
                raise InvalidInput("patient_number: needed to invite a patient.", field="patient_number")
            patient = await self.patients.get_or_create(who.organisation_id, number, who.id)
            if patient.restricted_at is not None:  # whoever holds the patient's account reads the record
                await self.records.find(who, patient.id, AuditAction.PATIENT_READ)
            patient_id = patient.id
        return await self.invitations.add(wanted.email, wanted.role, who, wanted.lifetime, patient_id, request)

    async def open_invitations(self, who: Principal) -> list[Invitation]:
        """The organisation's invitations that can still be accepted, without their tokens."""
        invitations = await self.invitations.open_ones(who.organisation_id)
        await self.audit.write(who.organisation_id, who.id, AuditAction.INVITATIONS_LISTED)
        return invitations

    async def revoke_invitation(self, invitation_id: UUID, who: Principal) -> None:
        """Take an invitation back before it is accepted.

        Raises:
            NotFound: the organisation has no such invitation that is open.
        """
        await self.invitations.revoke(invitation_id, who.organisation_id, who.id)

    async def accept_invitation(self, token: str, password: str) -> Account:
        """Use an invitation's token up: it and a password make the account.

        Raises:
            NotFound: unknown, used, revoked or expired.
            InvalidInput: the password is too short or easily guessed.
            Conflict: the address, or the patient, got an account meanwhile.
            TooManyAttempts: wait a minute.
        """
        await self.delays.count_address()
        invitation = await self.invitations.of_token(token)
        hashed = await self.passwords.new_hash(password, invitation.email)
        return await self.accounts.get(await self.invitations.accept(token, hashed, self.patients.attach_account))
