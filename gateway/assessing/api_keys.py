"""The keys of hospital systems: administrators make, rotate and revoke them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.platform.audit import Audit
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.identity.api_key import ApiKey, NewApiKey
from gateway.platform.identity.api_keys import ApiKeys
from gateway.platform.identity.scopes import Principal, Scope


@dataclass(frozen=True)
class ApiKeyUseCases:
    """What administrators do with the keys of their organisation."""

    keys: ApiKeys
    audit: Audit

    async def create(self, who: Principal, name: str, scopes: Sequence[Scope], days: int | None) -> NewApiKey:
        """A new key, which can do no more than whoever makes it and ends no later; it is shown in this answer alone.

        Raises:
            NotAuthorised: a scope that the maker lacks.
        """
        expires_at = now() + dt.timedelta(days=days) if days else None
        distinct = list(dict.fromkeys(scopes))
        return await self.keys.add(name, list(distinct), who, expires_at)

    async def all(self, who: Principal) -> list[ApiKey]:
        """The organisation's keys, revoked ones too, newest first."""
        keys = await self.keys.all(who.organisation_id)
        await self.audit.write(who.organisation_id, who.id, AuditAction.KEYS_LISTED)
        return keys

    async def rotate(self, key_id: str, overlap: dt.timedelta, who: Principal) -> NewApiKey:
        """A new secret for a key, which stays the same client; the old one works until the overlap is over.

        Raises:
            NotFound: no such key, or it was revoked.
            NotAuthorised: the key can do more than the caller, or ends later.
        """
        return await self.keys.rotate(key_id, who, overlap)

    async def revoke(self, key_id: str, who: Principal) -> None:
        """Revoke a key at once, with both its secrets, every access token that came of it and all that it made.

        Raises:
            NotFound: no such key.
        """
        await self.keys.revoke(key_id, who)
