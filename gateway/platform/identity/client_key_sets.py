"""The public keys that hospital systems sign with in place of a secret (SMART Backend Services)."""

import secrets
from uuid import UUID

from gateway.platform.audit import Outcome, audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import ApiKeyRow, ClientKeySetRow
from gateway.platform.identity.api_keys import why_not_handed_on
from gateway.platform.identity.delegation import require_maker
from gateway.platform.identity.public_keys import KeySet
from gateway.platform.identity.scopes import Principal, key_actor
from gateway.platform.identity.secret_hash import digest
from shared.problems import NotAuthorised, NotFound


class ClientKeySets:
    """Stores the key sets of API keys and finds them.

    Args:
        sessions: of the installation's database.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def put(self, identity: str, who: Principal, key_set: KeySet) -> None:
        """Let a hospital system sign with these keys from now on. Its secret ends at once, if it had one.

        Whoever names the keys can act as the system: they must be able to do as much as it can, and for as long. The
        system hangs on them from then on, unless it renewed itself.

        Raises:
            NotFound: no such key in the caller's organisation, or it was revoked.
            NotAuthorised: the caller lacks a scope of the key's, ends before it, or was made with it.
        """
        async with self._sessions.begin() as session:
            await require_maker(session, who.id)
            row = await session.get(ApiKeyRow, identity, with_for_update=True)
            refusal = await why_not_handed_on(session, row, identity, who)
            if row is not None and refusal is None:
                row.secret_hash, row.previous_secret_hash = digest(secrets.token_urlsafe(32)), None
                row.previous_valid_until = row.previous_parent = None
                row.parent = row.parent if who.id == key_actor(identity) else who.id
                values = ClientKeySetRow(key_id=identity, jwks=key_set.jwks, jwks_url=key_set.jwks_url)
                await session.merge(values)
            refused: Outcome = "refused" if isinstance(refusal, NotAuthorised) else "not found"
            outcome: Outcome = "done" if refusal is None else refused
            action, subject = AuditAction.KEY_SET_STORED, key_actor(identity)
            session.add(audit_row(who.organisation_id, who.id, action, subject, outcome))
        if refusal is not None:
            raise refusal

    async def get(self, identity: str) -> KeySet | None:
        """The keys of a system; null where it has a secret instead, or there is no such system."""
        async with self._sessions() as session:
            row = await session.get(ClientKeySetRow, identity)
        return KeySet(row.jwks, row.jwks_url) if row is not None else None

    async def read(self, identity: str, organisation_id: UUID, by: str) -> KeySet:
        """The same for an administrator, with a line in the audit trail; of neither kind where it has a secret.

        Raises:
            NotFound: the organisation has no such key.
        """
        async with self._sessions.begin() as session:
            key = await session.get(ApiKeyRow, identity)
            row = await session.get(ClientKeySetRow, identity)
            is_ours = key is not None and key.organisation_id == organisation_id
            outcome: Outcome = "done" if is_ours else "not found"
            action, subject = AuditAction.KEY_SET_READ, key_actor(identity)
            session.add(audit_row(organisation_id, by, action, subject, outcome))
        if not is_ours:
            raise NotFound(f"There is no key {identity}.")
        return KeySet(row.jwks, row.jwks_url) if row is not None else KeySet()
