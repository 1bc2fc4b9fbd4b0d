"""Hospital systems that sign in with keys of their own (SMART Backend Services), and the keys that they have."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from gateway.assessing.authentication import IssuedTokens
from gateway.platform.audit import Audit
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.identity.access_tokens import AccessTokens, ApiClient
from gateway.platform.identity.api_keys import ApiKeys
from gateway.platform.identity.assertions import (
    Assertion,
    read_assertion,
    require_registered_address,
    verified_claims,
)
from gateway.platform.identity.client_key_sets import ClientKeySets
from gateway.platform.identity.delegation import end_within
from gateway.platform.identity.public_keys import KeySet, checked_key_set
from gateway.platform.identity.published_keys import PublishedKeys
from gateway.platform.identity.scopes import Principal
from gateway.platform.identity.sign_in_delays import SignInDelays
from gateway.platform.identity.smart_scopes import UnknownScope, read_smart_scopes
from gateway.platform.identity.used_tokens import UsedTokens
from shared.problems import InvalidInput, NotAuthenticated

# SMART recommends no more than five minutes: whoever finds a token has little of it.
LIFETIME = dt.timedelta(seconds=300)


@dataclass(frozen=True)
class BackendServices:
    """What hospital systems with keys of their own do, and administrators with those keys.

    Args:
        published: fetches keys from registered addresses.
        used: keeps an assertion from being good twice.
    """

    keys: ApiKeys
    key_sets: ClientKeySets
    published: PublishedKeys
    used: UsedTokens
    access_tokens: AccessTokens
    delays: SignInDelays
    audit: Audit

    async def sign_in(self, assertion: str, client_id: str | None, scope: str, audience: str) -> IssuedTokens:
        """Exchange a signed assertion for an access token of 300 s.

        Args:
            assertion: the JWT (RFC 7523).
            client_id: as the form has it, where it does.
            scope: what is asked for; the answer's scopes are in the same words.
            audience: the address of the token endpoint, which the assertion has to be for.

        Raises:
            NotAuthenticated: the assertion is not valid, not of a registered system, or was used before.
            UnknownScope: a scope is not known, or the system's key lacks it.
            InvalidInput: the form names another client.
            TooManyAttempts: wait.
            ServiceUnavailable: the system's keys cannot be had from its address.
        """
        read = await self._read(assertion)
        if client_id not in (None, read.issuer):
            raise InvalidInput("client_id is not the `iss` of the assertion.", field="client_id")
        await self.delays.before(read.issuer)
        try:
            who = await self._system(read, audience)
        except NotAuthenticated:
            await self.delays.failed(read.issuer)
            await self._refused()
            raise
        await self.delays.succeeded(read.issuer)
        granted = read_smart_scopes(scope)
        for asked, meant in granted.items():
            if meant not in who.scopes:
                raise UnknownScope(f"This system may not have the scope {asked}.", field="scope")
        await self.audit.write(who.organisation_id, who.id, AuditAction.SIGN_IN)
        moment = now()
        end = end_within(who, moment + LIFETIME) or moment
        token = self.access_tokens.for_client(ApiClient(read.issuer, frozenset(granted.values())), end)
        return IssuedTokens(token, int((end - moment).total_seconds()), frozenset(granted))

    async def put_keys(self, key_id: str, who: Principal, jwks: Any, jwks_url: str | None) -> KeySet:
        """Let a system sign with these keys from now on; its secret ends at once.

        Raises:
            InvalidInput: they cannot be used.
            NotFound: no such key, or it was revoked.
            NotAuthorised: the key can do more than the caller, or ends later.
        """
        key_set = checked_key_set(jwks, jwks_url)
        await self.key_sets.put(key_id, who, key_set)
        return key_set

    async def get_keys(self, key_id: str, who: Principal) -> KeySet:
        """The keys that a system signs with.

        Raises:
            NotFound: no such key.
        """
        return await self.key_sets.read(key_id, who.organisation_id, who.id)

    async def _read(self, assertion: str) -> Assertion:
        try:
            return read_assertion(assertion)
        except NotAuthenticated:
            await self.delays.count_address()
            await self._refused()
            raise

    async def _system(self, read: Assertion, audience: str) -> Principal:
        """The system that signed; the checks in the order of SMART App Launch 2, the replay last."""
        key_set = await self.key_sets.get(read.issuer)
        if key_set is None:
            raise NotAuthenticated("No system of this client_id signs with keys of its own.")
        # A revoked system is out before anything is fetched for it.
        who = await self.keys.system(read.issuer)
        require_registered_address(read, key_set)
        keys = await self.published.of(key_set, read.kid)
        claims = verified_claims(read, keys, audience, subject=read.issuer)
        await self.used.use("token request", claims)
        return who

    async def _refused(self) -> None:
        await self.audit.write(None, "nobody", AuditAction.SIGN_IN, outcome="refused")
