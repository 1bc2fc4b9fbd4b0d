"""The keys of hospital systems: administrators make, rotate and revoke them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from gateway.platform.audit import Audit
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.idempotency import Earlier, IdempotentRequest, Repeats
from gateway.platform.identity.api_key import ApiKey, NewApiKey
from gateway.platform.identity.api_keys import ApiKeys
from gateway.platform.identity.scopes import Principal, Scope


@dataclass(frozen=True)
class ApiKeyUseCases:
    """What administrators do with the keys of their organisation."""

    keys: ApiKeys
    audit: Audit
    repeats: Repeats

    async def create(
        self,
        who: Principal,
        name: str,
        scopes: Sequence[Scope],
        days: int | None,
        request: IdempotentRequest | None = None,
        is_test: bool = False,
    ) -> tuple[NewApiKey, bool]:
        """A new key, which can do no more than whoever makes it and ends no later; and whether the request made it
        before. It is shown in this answer, and for a day to the same request.

        Raises:
            InvalidInput: a scope that no test key may have.
            NotAuthorised: a scope that the maker lacks.
            Conflict: the request's key was used for another one, or more than a day ago.
        """
        expires_at = now() + dt.timedelta(days=days) if days else None
        distinct = list(dict.fromkeys(scopes))

        async def again(before: Earlier) -> NewApiKey:
            return NewApiKey(await self.keys.get(who.organisation_id, before.subject), before.shown_secret())

        make = partial(self.keys.add, name, list(distinct), who, expires_at, request, is_test)
        return await self.repeats.once("key", who.id, request, make, again)

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
