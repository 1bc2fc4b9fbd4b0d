"""Hospital systems' API keys in the database: `<prefix>_<id>_<secret>`, of which only a hash of the secret is kept."""

import datetime as dt
import hmac
import secrets
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.audit import Outcome, audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.idempotency import IdempotentRequest, remember
from gateway.platform.database.tables import ApiKeyRow, AuditRow, ClientKeySetRow
from gateway.platform.identity.api_key import ApiKey, NewApiKey, api_key_of
from gateway.platform.identity.delegation import (
    end_within,
    hangs_on,
    require_end,
    require_maker,
    require_scopes,
    withdraw_handed_on,
)
from gateway.platform.identity.scopes import Principal, check_test_scopes, key_actor
from gateway.platform.identity.secret_hash import digest
from shared.problems import Conflict, NotAuthenticated, NotAuthorised, NotFound, TrabeculaError

KEY_PREFIX = "trab"
# `last_used_at` is for people who tidy up keys; a minute is fine enough and spares a write a request.
LAST_USED_STEP = dt.timedelta(minutes=1)
INVALID_KEY = "The API key is not valid: unknown, expired or revoked."


class ApiKeys:
    """Makes, checks, rotates and revokes API keys."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def add(
        self,
        name: str,
        scopes: list[str],
        who: Principal,
        expires_at: dt.datetime | None = None,
        request: IdempotentRequest | None = None,
        is_test: bool = False,
    ) -> NewApiKey:
        """A new key of the maker's organisation, which can do no more than its maker and ends no later.

        The answer is the one chance to see it.

        Args:
            is_test: whether what is made with it stays apart from real patients' results.

        Raises:
            InvalidInput: a scope that no test key may have.
            NotAuthorised: a scope that the maker lacks.
        """
        if is_test:
            check_test_scopes(scopes)
        require_scopes(who, scopes)
        identity, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        row = ApiKeyRow(
            id=identity,
            organisation_id=who.organisation_id,
            name=name,
            secret_hash=digest(secret),
            scopes=scopes,
            created_at=now(),
            expires_at=end_within(who, expires_at),
            parent=who.id,
            is_test=is_test,
        )
        async with self._sessions.begin() as session:
            await require_maker(session, who.id)
            session.add(row)
            remember(session, "key", who.id, request, identity, _whole(identity, secret))
            session.add(audit_row(who.organisation_id, who.id, AuditAction.KEY_MADE, key_actor(identity)))
        return NewApiKey(api_key_of(row), _whole(identity, secret))

    async def all(self, organisation_id: UUID | None) -> list[ApiKey]:
        """The organisation's keys, newest first; null for the operator, who sees every organisation's."""
        query = select(ApiKeyRow).order_by(ApiKeyRow.created_at.desc(), ApiKeyRow.id)
        if organisation_id is not None:
            query = query.where(ApiKeyRow.organisation_id == organisation_id)
        async with self._sessions() as session:
            rows = await session.scalars(query)
            return [api_key_of(row) for row in rows]

    async def get(self, organisation_id: UUID, identity: str) -> ApiKey:
        """One key of an organisation.

        Raises:
            NotFound: it has no such key.
        """
        async with self._sessions() as session:
            row = await session.get(ApiKeyRow, identity)
        if row is None or row.organisation_id != organisation_id:
            raise _not_found(identity)
        return api_key_of(row)

    async def organisation_of(self, identity: str) -> UUID:
        """Whose key it is; for the operator, who looks after every organisation's.

        Raises:
            NotFound: no such key.
        """
        async with self._sessions() as session:
            row = await session.get(ApiKeyRow, identity)
        if row is None:
            raise _not_found(identity)
        return row.organisation_id

    async def rotate(self, identity: str, who: Principal, overlap: dt.timedelta) -> NewApiKey:
        """A new secret for a key, which stays the same client; the old secret is good until the overlap is over.

        Whoever is shown the new secret must be able to do as much as the key, and for as long. From then on the key
        hangs on them, unless it renewed itself.

        Raises:
            NotFound: no such key in the caller's organisation, or it was revoked.
            NotAuthorised: the caller lacks a scope of the key's, ends before it, or was made with it.
            Conflict: the system signs with keys of its own and has no secret.
        """
        secret = secrets.token_urlsafe(32)
        async with self._sessions.begin() as session:
            await require_maker(session, who.id)
            row = await session.get(ApiKeyRow, identity, with_for_update=True)
            refusal: TrabeculaError | None = await why_not_handed_on(session, row, identity, who)
            if refusal is None and await session.get(ClientKeySetRow, identity) is not None:
                refusal = Conflict("This system signs with its own keys and has no secret: give it other keys instead.")
            if row is not None and refusal is None:
                row.previous_secret_hash, row.previous_valid_until = row.secret_hash, now() + overlap
                row.secret_hash, row.previous_parent = digest(secret), row.parent
                row.parent = row.parent if who.id == key_actor(identity) else who.id
            session.add(_line(who, AuditAction.KEY_ROTATED, identity, refusal))
        if row is None or refusal is not None:
            raise refusal or _not_found(identity)
        return NewApiKey(api_key_of(row), _whole(identity, secret))

    async def revoke(self, identity: str, who: Principal) -> None:
        """Revoke a key at once, with both its secrets, all its access tokens and all that was made with it.

        Twice is no error.

        Raises:
            NotFound: no such key in the caller's organisation.
        """
        async with self._sessions.begin() as session:
            row = await session.get(ApiKeyRow, identity, with_for_update=True)
            refusal = None if row is not None and _is_of(who, row) else _not_found(identity)
            if row is not None and refusal is None and row.revoked_at is None:
                row.revoked_at = now()
                await withdraw_handed_on(session, key_actor(identity), who.id)
            session.add(_line(who, AuditAction.KEY_REVOKED, identity, refusal))
        if refusal is not None:
            raise refusal

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
        return _system(row, frozenset(row.scopes))

    async def client_of_token(self, identity: str, scopes: frozenset[str]) -> Principal:
        """The hospital system behind an access token that its key was exchanged for.

        Raises:
            NotAuthenticated: the key was revoked or has expired since.
        """
        row = await self._usable(identity)
        return _system(row, scopes & frozenset(row.scopes))

    async def system(self, identity: str) -> Principal:
        """A hospital system that has shown in another way than by a secret that it is the one of this id.

        Raises:
            NotAuthenticated: unknown, expired or revoked.
        """
        row = await self._usable(identity)
        await self._note_use(row)
        return _system(row, frozenset(row.scopes))

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


def _system(row: ApiKeyRow, scopes: frozenset[str]) -> Principal:
    return Principal(
        key_actor(row.id), row.organisation_id, scopes, "system", ends_at=row.expires_at, is_test=row.is_test
    )


def _opens(row: ApiKeyRow, given: bytes) -> bool:
    if hmac.compare_digest(row.secret_hash, given):
        return True
    if row.previous_secret_hash is None or row.previous_valid_until is None or row.previous_valid_until <= now():
        return False
    return hmac.compare_digest(row.previous_secret_hash, given)


def _whole(identity: str, secret: str) -> str:
    return f"{KEY_PREFIX}_{identity}_{secret}"


async def why_not_handed_on(
    session: AsyncSession, row: ApiKeyRow | None, identity: str, who: Principal
) -> NotFound | NotAuthorised | None:
    """Why somebody is not shown a new secret of a key; null where nothing speaks against it."""
    if row is None or row.revoked_at or not _is_of(who, row):
        return _not_found(identity)
    try:
        require_scopes(who, row.scopes)
        require_end(who, row.expires_at)
    except NotAuthorised as error:
        return error
    if await hangs_on(session, who.id, key_actor(identity)):
        return NotAuthorised("A key does not renew the one that it was made with.")
    return None


def _is_of(who: Principal, row: ApiKeyRow) -> bool:
    """Another organisation's key is not there, and "not found" in the trail, too."""
    return row.organisation_id == who.organisation_id


def _not_found(identity: str) -> NotFound:
    return NotFound(f"There is no key {identity}, or it was revoked.")


def _line(who: Principal, action: AuditAction, identity: str, refusal: TrabeculaError | None) -> AuditRow:
    outcomes: dict[type[Exception], Outcome] = {NotFound: "not found", NotAuthorised: "refused", Conflict: "refused"}
    outcome: Outcome = outcomes[type(refusal)] if refusal else "done"
    return audit_row(who.organisation_id, who.id, action, key_actor(identity), outcome)
