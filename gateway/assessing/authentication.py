"""Who is asking, and how people and hospital systems sign in, stay signed in and sign out."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from gateway.assessing.admission import Admission
from gateway.assessing.provider_sign_in import ProviderAnswer, ProviderSignIn, staff_session
from gateway.platform.audit import Audit
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.identity.access_tokens import INVALID_TOKEN, AccessTokens, ApiClient, Person
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.api_keys import ApiKeys
from gateway.platform.identity.delegation import end_within, require_scopes
from gateway.platform.identity.refresh_tokens import NewToken, RefreshTokens, SessionLength
from gateway.platform.identity.scopes import Principal, Scope, key_actor, read_scopes
from gateway.platform.identity.sign_in import SignIn
from gateway.platform.identity.sign_in_delays import SignInDelays
from gateway.settings import GatewaySettings
from shared.problems import NotAuthenticated, NotAuthorised, NotFound


@dataclass(frozen=True)
class IssuedTokens:
    """An access token for some minutes; a person gets the refresh token for the next one with it, good once."""

    access_token: str
    expires_in_s: int
    scopes: frozenset[str]
    refresh_token: str | None = None


@dataclass(frozen=True)
class SignedInPerson:
    """The person behind an access token, and the sign-in that it came of."""

    principal: Principal
    email: str
    sign_in: UUID
    by_provider: bool


@dataclass(frozen=True)
class Authentication:
    """Knows who is behind a credential, and gives out tokens for it."""

    accounts: Accounts
    keys: ApiKeys
    access_tokens: AccessTokens
    refresh_tokens: RefreshTokens
    passwords: SignIn
    delays: SignInDelays
    audit: Audit
    admission: Admission
    settings: GatewaySettings
    provider: ProviderSignIn | None = None

    async def principal(self, token: str | None, api_key: str | None) -> Principal:
        """The person or the hospital system behind a credential.

        Args:
            token: an access token.
            api_key: a whole API key.

        Raises:
            NotAuthenticated: no credential, two, or one that is not valid.
            NotAuthorised: a member of staff has not set up the second factor that the site asks for.
            TooManyRequests: more than one caller may send within a minute, or one address with bad credentials.
        """
        if token and api_key:
            raise NotAuthenticated("Send one credential: either Authorization or X-API-Key.")
        if api_key or token:
            try:
                who = await (self.keys.client(api_key) if api_key else self._of_token(token or ""))
            except NotAuthenticated:
                await self._refused()
                raise
            if who.owes == "second factor":
                raise NotAuthorised("Set up the second factor first: sign in to the pages with a browser.")
            return await self._counted(who)
        raise NotAuthenticated("Send a credential: 'Authorization: Bearer <token>' or 'X-API-Key: <key>'.")

    async def require(self, who: Principal, scope: Scope) -> Principal:
        """The principal, who must have this scope. A refusal is a line of the audit trail.

        Raises:
            NotAuthorised: the scope is missing.
        """
        try:
            who.must_have(scope)
        except NotAuthorised:
            await self.audit.write(who.organisation_id, who.id, AuditAction.ACCESS, f"scope:{scope}", "refused")
            raise
        return who

    async def signed_in_person(self, token: str) -> SignedInPerson:
        """The person behind an access token, as the pages greet them.

        Raises:
            NotAuthenticated: not valid any more, or a hospital system's.
        """
        claims = self.access_tokens.verified(token)
        if not isinstance(claims, Person):
            raise NotAuthenticated(INVALID_TOKEN)
        principal = await self._counted(await self._of_claims(claims))
        account = await self.accounts.get(claims.account_id)
        return SignedInPerson(principal, account.email, claims.sign_in, account.sign_in == "provider")

    async def sign_in(self, email: str, password: str, code: str = "", keep: bool = False) -> IssuedTokens:
        """Sign a person in.

        Args:
            code: of the second factor, or a recovery code; empty where there is none.
            keep: a patient asks to stay signed in for days. Staff use what others use, too: their sessions are short.

        Raises:
            NotAuthenticated: the address, the password or the code is wrong, or the account is disabled.
            TooManyAttempts: this address waits before the next attempt.
            TooBusy: as many passwords wait to be checked as may.
        """
        account_id = await self.passwords.account(email, password, code)
        who = await self.accounts.person(account_id)
        length = self._kept if keep and who.is_patient else staff_session(self.settings)
        return await self._for_person(await self.refresh_tokens.begin(account_id, length))

    async def sign_in_by_provider(self, answer: ProviderAnswer, browser: str) -> tuple[IssuedTokens, str]:
        """Sign in the person whom the hospital's provider sends back; gives the page that they wanted to see, too.

        Raises:
            NotFound: this installation has no provider.
            Others: see `ProviderSignIn.finish`.
        """
        token, onward = await self.required_provider().finish(answer, browser)
        return await self._for_person(token), onward

    def required_provider(self) -> ProviderSignIn:
        """Sign-in by the hospital's provider.

        Raises:
            NotFound: this installation has none.
        """
        if self.provider is None:
            raise NotFound("Nobody signs in by a provider here.")
        return self.provider

    async def sign_in_client(self, identity: str, api_key: str, scope: str) -> IssuedTokens:
        """Exchange a hospital system's key for an access token.

        Args:
            identity: the key's id.
            api_key: the whole key.
            scope: fewer scopes than the key has; empty for all of them.

        Raises:
            InvalidInput: there is no such scope.
            NotAuthenticated: the key is not valid, or not of this id.
            NotAuthorised: the key lacks a scope that is asked for.
            TooManyAttempts: wait a minute.
        """
        await self.delays.before(identity)
        try:
            who = await self.keys.client(api_key)
            if who.id != key_actor(identity):
                raise NotAuthenticated("client_id is not the id of the key that was sent as client_secret.")
        except NotAuthenticated:
            await self.delays.failed(identity)
            await self.audit.write(None, "nobody", AuditAction.SIGN_IN, outcome="refused")
            raise
        await self.delays.succeeded(identity)
        scopes = who.scopes
        if scope:
            wanted = read_scopes(scope)
            require_scopes(who, wanted)
            scopes = frozenset(wanted)
        await self.audit.write(who.organisation_id, who.id, AuditAction.SIGN_IN)
        moment = now()
        end = end_within(who, moment + self.access_tokens.lifetime) or moment
        return IssuedTokens(
            self.access_tokens.for_client(ApiClient(identity, scopes), end), int((end - moment).total_seconds()), scopes
        )

    async def refresh(self, refresh_token: str) -> IssuedTokens:
        """Exchange a refresh token for new tokens. Each is good once; used again, it ends the whole sign-in.

        Raises:
            NotAuthenticated: unknown, expired, revoked or used before, or the provider ends the session.
        """
        token = await self.refresh_tokens.exchange(refresh_token)
        if self.provider is not None:
            await self.provider.recheck(token.family)
        return await self._for_person(token)

    async def sign_out(self, refresh_token: str) -> None:
        """End a sign-in with every token that came of it; an unknown token is no error (RFC 7009)."""
        await self.refresh_tokens.end(refresh_token, AuditAction.SIGN_OUT)

    @property
    def _kept(self) -> SessionLength:
        days = dt.timedelta(days=self.settings.refresh_token_days)
        return SessionLength(days, days)

    async def _refused(self) -> None:
        """A bad credential is a line of the trail; an address that sends many is not heard for a while."""
        await self.admission.count_bad_credential()
        await self.audit.write(None, "nobody", AuditAction.ACCESS, "credential", "refused")

    async def _of_token(self, token: str) -> Principal:
        return await self._of_claims(self.access_tokens.verified(token))

    async def _counted(self, who: Principal) -> Principal:
        await self.admission.count_request(who)
        return who

    async def _of_claims(self, claims: Person | ApiClient) -> Principal:
        """The principal of an access token; asked anew each time, so that an end of anything counts at once."""
        if not isinstance(claims, Person):
            return await self.keys.client_of_token(claims.key_id, claims.scopes)
        if await self.refresh_tokens.is_over(claims.sign_in):
            raise NotAuthenticated(INVALID_TOKEN)
        return await self.accounts.person(claims.account_id)

    async def _for_person(self, new: NewToken) -> IssuedTokens:
        who = await self.accounts.person(new.account_id)
        access_token = self.access_tokens.for_person(Person(new.account_id, new.family))
        seconds = int(self.access_tokens.lifetime.total_seconds())
        return IssuedTokens(access_token, seconds, who.scopes, new.token)
