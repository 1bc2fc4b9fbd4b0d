"""Hospital systems' API keys in the database: `<prefix>_<id>_<secret>`, of which only a hash of the secret is kept."""

import datetime as dt
import hmac
import secrets
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select, update

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import ApiKeyRow, AuditRow
from gateway.platform.identity.scopes import Principal, key_actor
from gateway.platform.identity.secret_hash import digest
from shared.problems import InvalidInput, NotAuthenticated, NotFound

KEY_PREFIX = "trab"
LONGEST_NAME = 100
DEFAULT_OVERLAP_HOURS = 24
# `last_used_at` is for people who tidy up keys; a minute is fine enough and spares a write a request.
LAST_USED_STEP = dt.timedelta(minutes=1)
INVALID_KEY = "The API key is not valid: unknown, expired or revoked."


@dataclass(frozen=True)
class ApiKey:
    """What is known of an API key after its secret was shown."""

    id: str
    name: str
    scopes: list[str]
    organisation_id: UUID
    created_at: dt.datetime
    expires_at: dt.datetime | None
    last_used_at: dt.datetime | None
    revoked_at: dt.datetime | None
    previous_valid_until: dt.datetime | None


@dataclass(frozen=True)
class NewApiKey:
    """An API key at the one moment when its secret is known."""

    of: ApiKey
    key: str = field(repr=False)


def checked_key_name(name: str, field: str) -> str:
    """What a key is for, as its maker says.

    Raises:
        InvalidInput: empty, too long or not printable.
    """
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInput(f"{field}: 1 to {LONGEST_NAME} printable characters.", field=field)
    return name


class ApiKeys:
    """Makes, checks, rotates and revokes API keys."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def add(
        self, name: str, scopes: list[str], organisation_id: UUID, by: str, expires_at: dt.datetime | None = None
    ) -> NewApiKey:
        """A new key; the answer is the one chance to see it. `by` is the actor, for the trail."""
        identity, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        row = ApiKeyRow(
            id=identity,
            organisation_id=organisation_id,
            name=name,
            secret_hash=digest(secret),
            scopes=scopes,
            created_at=now(),
            expires_at=expires_at,
        )
        async with self._sessions.begin() as session:
            session.add(row)
            session.add(audit_row(organisation_id, by, AuditAction.KEY_MADE, key_actor(identity)))
        return NewApiKey(_api_key(row), _whole(identity, secret))

    async def all(self, organisation_id: UUID | None) -> list[ApiKey]:
        """The organisation's keys, newest first; null for the operator, who sees every organisation's."""
        query = select(ApiKeyRow).order_by(ApiKeyRow.created_at.desc(), ApiKeyRow.id)
        if organisation_id is not None:
            query = query.where(ApiKeyRow.organisation_id == organisation_id)
        async with self._sessions() as session:
            rows = await session.scalars(query)
            return [_api_key(row) for row in rows]

    async def rotate(self, identity: str, organisation_id: UUID | None, by: str, overlap: dt.timedelta) -> NewApiKey:
        """A new secret for a key, which stays the same client; the old secret is good until the overlap is over.

        Args:
            organisation_id: whose key it must be; null for the operator, who may rotate any.

        Raises:
            NotFound: no such key, or it was revoked.
        """
        secret = secrets.token_urlsafe(32)
        async with self._sessions.begin() as session:
            row = await session.get(ApiKeyRow, identity, with_for_update=True)
            usable = row is not None and not row.revoked_at and organisation_id in (None, row.organisation_id)
            if row is not None and usable:
                row.previous_secret_hash, row.previous_valid_until = row.secret_hash, now() + overlap
                row.secret_hash = digest(secret)
            session.add(_line(organisation_id, row, by, AuditAction.KEY_ROTATED, identity, usable))
        if row is None or not usable:
            raise NotFound(f"There is no key {identity} that could be rotated.")
        return NewApiKey(_api_key(row), _whole(identity, secret))

    async def revoke(self, identity: str, organisation_id: UUID | None, by: str) -> None:
        """Revoke a key, with both its secrets and all its access tokens, at once; twice is no error.

        Args:
            organisation_id: whose key it must be; null for the operator, who may revoke any.

        Raises:
            NotFound: no such key.
        """
        async with self._sessions.begin() as session:
            row = await session.get(ApiKeyRow, identity)
            is_theirs = row is not None and organisation_id in (None, row.organisation_id)
            if row is not None and is_theirs and row.revoked_at is None:
                row.revoked_at = now()
            session.add(_line(organisation_id, row, by, AuditAction.KEY_REVOKED, identity, is_theirs))
        if not is_theirs:
            raise NotFound(f"There is no key {identity}.")

    async def client(self, key: str) -> Principal:
        """The hospital system behind an API key.

        Raises:
            NotAuthenticated: unknown, expired or revoked.
        """
        prefix, _, rest = key.partition("_")
        identity, _, secret = rest.partition("_")
        if prefix != KEY_PREFIX or not identity or not secret:
            raise NotAuthenticated(INVALID_KEY)
        row = await self._usable(identity)
        if not _opens(row, digest(secret)):
            raise NotAuthenticated(INVALID_KEY)
        await self._note_use(row)
        return Principal(key_actor(row.id), row.organisation_id, frozenset(row.scopes), "system")

    async def client_of_token(self, identity: str, scopes: frozenset[str]) -> Principal:
        """The hospital system behind an access token that its key was exchanged for.

        Raises:
            NotAuthenticated: the key was revoked or has expired since.
        """
        row = await self._usable(identity)
        return Principal(key_actor(row.id), row.organisation_id, scopes & frozenset(row.scopes), "system")

    async def _usable(self, identity: str) -> ApiKeyRow:
        async with self._sessions() as session:
            row = await session.get(ApiKeyRow, identity)
        if row is None or row.revoked_at or (row.expires_at and row.expires_at <= now()):
            raise NotAuthenticated(INVALID_KEY)
        return row

    async def _note_use(self, row: ApiKeyRow) -> None:
        moment = now()
        if row.last_used_at is None or moment - row.last_used_at > LAST_USED_STEP:
            async with self._sessions.begin() as session:
                await session.execute(update(ApiKeyRow).where(ApiKeyRow.id == row.id).values(last_used_at=moment))


def _opens(row: ApiKeyRow, given: bytes) -> bool:
    if hmac.compare_digest(row.secret_hash, given):
        return True
    if row.previous_secret_hash is None or row.previous_valid_until is None or row.previous_valid_until <= now():
        return False
    return hmac.compare_digest(row.previous_secret_hash, given)


def _whole(identity: str, secret: str) -> str:
    return f"{KEY_PREFIX}_{identity}_{secret}"


def _line(
    organisation_id: UUID | None, row: ApiKeyRow | None, by: str, action: AuditAction, identity: str, found: bool
) -> AuditRow:
    """A line of the trail; another organisation's key is "not found" there too."""
    owner = organisation_id or (row.organisation_id if row else None)
    return audit_row(owner, by, action, key_actor(identity), "done" if found else "not found")


def _api_key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        row.id,
        row.name,
        list(row.scopes),
        row.organisation_id,
        row.created_at,
        row.expires_at,
        row.last_used_at,
        row.revoked_at,
        row.previous_valid_until,
    )
