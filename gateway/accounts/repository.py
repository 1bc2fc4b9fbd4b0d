"""Organisations, people and hospital systems in the database."""

import datetime as dt
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sqlalchemy import select, update

from gateway.accounts.scopes import SCOPES_OF_ROLE, Principal, Role
from gateway.database.engine import Sessions, now
from gateway.database.ids import uuid7
from gateway.database.tables import AccountRow, ApiKeyRow, OrganisationRow, PatientRow, RefreshTokenRow
from shared.problems import Conflict, NotAuthenticated

KEY_PREFIX = "trab"
# `last_used_at` is for people who tidy up keys; a minute is fine enough and spares a write a request.
LAST_USED_STEP = dt.timedelta(minutes=1)
INVALID_KEY = "The API key is not valid: unknown, expired or revoked."


@dataclass(frozen=True)
class NewKey:
    """An API key at the one moment when its secret is known."""

    id: str
    key: str
    name: str
    scopes: list[str]
    organisation_id: UUID
    expires_at: dt.datetime | None


def digest(secret: str) -> bytes:
    """SHA-256: enough for random secrets of 256 bits, which nobody can guess through."""
    return hashlib.sha256(secret.encode()).digest()


class Accounts:
    """Reads and writes organisations, accounts, refresh tokens and API keys."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def first_organisation(self, name: str) -> UUID:
        """The oldest organisation; made under this name if there is none."""
        async with self._sessions.begin() as session:
            found = await session.scalar(select(OrganisationRow).order_by(OrganisationRow.id).limit(1))
            if found is None:
                found = OrganisationRow(name=name, created_at=now())
                session.add(found)
                await session.flush()
            return found.id

    async def any_administrator(self) -> bool:
        """Whether somebody can administer the installation."""
        query = select(AccountRow.id).where(AccountRow.role == "administrator", AccountRow.disabled_at.is_(None))
        async with self._sessions() as session:
            return await session.scalar(query.limit(1)) is not None

    async def add_account(self, email: str, password_hash: str, role: Role, organisation_id: UUID) -> UUID:
        """A new account.

        Raises:
            Conflict: the address has one.
        """
        email = email.strip().lower()
        async with self._sessions.begin() as session:
            if await session.scalar(select(AccountRow.id).where(AccountRow.email == email)):
                raise Conflict(f"There is an account for {email} already.")
            row = AccountRow(
                email=email, password_hash=password_hash, role=role, organisation_id=organisation_id, created_at=now()
            )
            session.add(row)
            await session.flush()
            return row.id

    async def account_by_email(self, email: str) -> AccountRow | None:
        """The account that is not disabled, if there is one."""
        query = select(AccountRow).where(AccountRow.email == email.strip().lower(), AccountRow.disabled_at.is_(None))
        async with self._sessions() as session:
            return (await session.scalars(query)).one_or_none()

    async def person(self, account_id: UUID) -> Principal:
        """The person behind a verified access token.

        Raises:
            NotAuthenticated: the account is gone or disabled since the token was issued.
        """
        query = select(AccountRow, PatientRow.id).outerjoin(PatientRow, PatientRow.account_id == AccountRow.id)
        async with self._sessions() as session:
            found = (await session.execute(query.where(AccountRow.id == account_id))).one_or_none()
        if found is None or found[0].disabled_at is not None:
            raise NotAuthenticated("The account of this token is disabled.")
        row, patient_id = found
        if row.role == "patient" and patient_id is None:
            raise NotAuthenticated("The patient of this account was erased.")
        scopes = SCOPES_OF_ROLE[row.role]
        return Principal(f"account:{row.id}", row.organisation_id, scopes, cast(Role, row.role), patient_id)

    async def add_key(
        self, name: str, scopes: list[str], organisation_id: UUID, expires_at: dt.datetime | None = None
    ) -> NewKey:
        """A new API key; only its hash is stored, so the answer is the one chance to see it."""
        identity, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        async with self._sessions.begin() as session:
            session.add(
                ApiKeyRow(
                    id=identity, organisation_id=organisation_id, name=name, secret_hash=digest(secret), scopes=scopes,
                    created_at=now(), expires_at=expires_at,
                )
            )  # fmt: skip
        return NewKey(identity, f"{KEY_PREFIX}_{identity}_{secret}", name, scopes, organisation_id, expires_at)

    async def system(self, key: str) -> Principal:
        """The hospital system behind an API key.

        Raises:
            NotAuthenticated: unknown, expired or revoked.
        """
        prefix, _, rest = key.partition("_")
        identity, _, secret = rest.partition("_")
        if prefix != KEY_PREFIX or not identity or not secret:
            raise NotAuthenticated(INVALID_KEY)
        moment = now()
        async with self._sessions() as session:
            row = await session.get(ApiKeyRow, identity)
        valid = row is not None and hmac.compare_digest(row.secret_hash, digest(secret))
        if row is None or not valid or row.revoked_at or (row.expires_at and row.expires_at <= moment):
            raise NotAuthenticated(INVALID_KEY)
        if row.last_used_at is None or moment - row.last_used_at > LAST_USED_STEP:
            async with self._sessions.begin() as session:
                await session.execute(update(ApiKeyRow).where(ApiKeyRow.id == identity).values(last_used_at=moment))
        return Principal(f"key:{row.id}", row.organisation_id, frozenset(row.scopes), "system")

    async def add_refresh_token(self, account_id: UUID, lifetime: dt.timedelta, family: UUID | None = None) -> str:
        """A new refresh token; without a family it begins one."""
        token = secrets.token_urlsafe(32)
        async with self._sessions.begin() as session:
            session.add(
                RefreshTokenRow(
                    token_hash=digest(token), account_id=account_id, family=family or uuid7(),
                    expires_at=now() + lifetime,
                )
            )  # fmt: skip
        return token

    async def use_refresh_token(self, token: str) -> tuple[UUID, UUID]:
        """Use a token up; its account and family.

        A token seen twice was stolen, or its replacement was: the whole family is revoked.

        Raises:
            NotAuthenticated: unknown, expired, revoked or used before.
        """
        moment, refusal = now(), NotAuthenticated("The refresh token is not valid: sign in again.")
        usable = RefreshTokenRow.used_at.is_(None) & RefreshTokenRow.revoked_at.is_(None)
        async with self._sessions.begin() as session:
            used = await session.execute(
                update(RefreshTokenRow)
                .where(RefreshTokenRow.token_hash == digest(token), usable, RefreshTokenRow.expires_at > moment)
                .values(used_at=moment)
                .returning(RefreshTokenRow.account_id, RefreshTokenRow.family)
            )
            if found := used.one_or_none():
                return found.account_id, found.family
        await self.revoke_refresh_token(token)
        raise refusal

    async def revoke_refresh_token(self, token: str) -> None:
        """Revoke a token and every one that came of the same sign-in; an unknown one is no error (RFC 7009)."""
        async with self._sessions.begin() as session:
            row = await session.get(RefreshTokenRow, digest(token))
            if row is not None:
                await session.execute(
                    update(RefreshTokenRow)
                    .where(RefreshTokenRow.family == row.family, RefreshTokenRow.revoked_at.is_(None))
                    .values(revoked_at=now())
                )
