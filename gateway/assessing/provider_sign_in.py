"""Sign-in by the hospital's own provider (OpenID Connect): there and back, roles from groups, and who has left."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

import structlog
from limits import RateLimitItemPerHour, RateLimitItemPerMinute

from gateway.platform.audit import Audit
from gateway.platform.audit_actions import AuditAction
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.oidc_accounts import NotTaken, ProviderAccounts
from gateway.platform.identity.oidc_client import OidcClient, ProviderIdentity, SignInRequest
from gateway.platform.identity.oidc_requests import SignInRequests
from gateway.platform.identity.oidc_tokens import logout_token_claims
from gateway.platform.identity.rate_limits import RateLimits
from gateway.platform.identity.refresh_tokens import NewToken, SessionLength
from gateway.platform.identity.scopes import PROVIDER, Role
from gateway.platform.identity.sign_in_delays import SignInDelays, network
from gateway.settings import GatewaySettings
from shared.problems import NotAuthenticated, ProviderRefused, ServiceUnavailable, TooManyAttempts, TrabeculaError

# Of several roles that somebody's groups give, the first.
BY_WEIGHT: tuple[Role, ...] = ("administrator", "clinician")
# Sign-ins begun from one address: a hospital that starts its day may have one for all of its people.
MOST_A_MINUTE = 600
WORDS = {
    "begin_again": "This sign-in took too long, was begun elsewhere or is finished: begin it again.",
    "refused": "The provider did not sign you in.",
    "invalid": "What the provider sent cannot be trusted. Tell the administrator.",
    "no_role": "None of your groups has a role here. Ask your administrator.",
    "second_factor": "Sign in at the provider with a second factor.",
    "address_taken": "Your e-mail address has a local account here. An administrator can hand it to the provider.",
    "disabled": "Your account here is disabled. Ask an administrator.",
    "unavailable": "The provider does not answer. Try again, or sign in with a local account.",
}


@dataclass(frozen=True)
class ProviderAnswer:
    """What a browser brings back from the provider."""

    state: str = ""
    code: str = ""
    error: str = ""
    iss: str | None = None


@dataclass(frozen=True)
class ProviderSignIn:
    """What people, their browsers and the provider do."""

    client: OidcClient
    requests: SignInRequests
    provider_accounts: ProviderAccounts
    accounts: Accounts
    delays: SignInDelays
    limits: RateLimits
    audit: Audit
    settings: GatewaySettings

    async def begin(self, onward: str) -> tuple[str, str]:
        """Where to send a browser, and the secret that it has to bring back.

        Raises:
            TooManyAttempts: more are begun from one address than a whole hospital does.
            ProviderRefused: the provider does not answer.
        """
        if wait_s := await self.limits.wait_s(RateLimitItemPerMinute(MOST_A_MINUTE), "provider sign-in", network()):
            raise TooManyAttempts(f"Too many attempts: wait {wait_s} s.", retry_after_s=wait_s)
        request = SignInRequest()
        try:
            address = await self.client.address(request, self.settings.oidc_second_factor)
        except ServiceUnavailable as error:
            raise await self._refused("unavailable", error) from error
        return address, await self.requests.keep(request, onward)

    async def finish(self, answer: ProviderAnswer, browser: str) -> tuple[NewToken, str]:
        """Sign in whom the provider vouches for; gives the page that they wanted to see, too.

        Raises:
            TooManyAttempts: too many attempts from this address came to nothing.
            ProviderRefused: with the reason.
        """
        try:
            request, onward = await self.requests.take(answer.state, browser)
        except NotAuthenticated as error:
            raise await self._refused("begin_again", error) from error
        try:
            await self.client.check_issuer(answer.iss)
            if not answer.code:
                raise await self._refused("refused", NotAuthenticated(f"error={answer.error[:60]!r}"))
            identity = await self.client.exchange(answer.code, request)
        except ServiceUnavailable as error:
            raise await self._refused("unavailable", error) from error
        except NotAuthenticated as error:
            raise await self._refused("invalid", error) from error
        return await self._let_in(identity), onward

    async def recheck(self, family: UUID) -> None:
        """Ask the provider whether a session may go on, where it has not been asked for a while.

        A provider that does not answer ends nothing: the session's own end comes anyway.

        Raises:
            NotAuthenticated: it may not.
        """
        interval = dt.timedelta(minutes=self.settings.oidc_recheck_minutes)
        check = await self.provider_accounts.due(family, self.client.provider.issuer, interval)
        if check is None:
            return
        try:
            identity = await self.client.renew(check.refresh_token, check.subject)
        except ServiceUnavailable as error:
            structlog.get_logger("trabecula").warning("a session could not be confirmed", why=error.detail)
            return
        except NotAuthenticated:
            await self.provider_accounts.end(check)
            raise
        role = self._role(identity)
        if role is None and identity.groups is not None:
            await self.provider_accounts.shut_out(check)
            raise NotAuthenticated("The sign-in provider gives this person no role here any more.")
        await self.provider_accounts.confirm(check, identity, role)

    async def sign_out(self, logout_token: str) -> None:
        """End the sessions of whom the provider says has signed out there, or was signed out.

        Raises:
            NotAuthenticated: the token is not valid, or was sent before.
            ServiceUnavailable: the provider's keys cannot be had.
        """
        issuer = self.client.provider.issuer
        claims = await logout_token_claims(logout_token, self.client.provider, self.client.client_id)
        if await self.limits.wait_s(RateLimitItemPerHour(1), "logout token", issuer, str(claims["jti"])):
            raise NotAuthenticated("This logout token was sent before.")
        subject, session = claims.get("sub"), claims.get("sid")
        await self.provider_accounts.sign_out(
            issuer, subject if isinstance(subject, str) else None, session if isinstance(session, str) else None
        )

    async def _let_in(self, identity: ProviderIdentity) -> NewToken:
        wanted = self.settings.oidc_second_factor
        if wanted and not identity.methods & set(wanted):
            raise await self._refused("second_factor", None)
        organisation = await self._organisation()
        role = self._role(identity)
        if role is None:
            await self.provider_accounts.refuse(identity, organisation)
            raise ProviderRefused(WORDS["no_role"], reason="no_role")
        try:
            return await self.provider_accounts.sign_in(identity, role, organisation, staff_session(self.settings))
        except NotTaken as error:
            raise ProviderRefused(WORDS[error.reason], reason=error.reason) from error

    def _role(self, identity: ProviderIdentity) -> Role | None:
        given = {self.settings.oidc_roles.get(group) for group in identity.groups or ()}
        return next((role for role in BY_WEIGHT if role in given), None)

    async def _organisation(self) -> UUID:
        first = await self.accounts.first_organisation(self.settings.organisation)
        name = self.settings.oidc_organisation
        return await self.accounts.get_or_create_organisation(name) if name else first

    async def _refused(self, reason: str, cause: TrabeculaError | None) -> ProviderRefused:
        """A sign-in of nobody known that came to nothing: a line of the trail, and the cause in the log."""
        await self.delays.count_address()
        await self.audit.write(None, PROVIDER, AuditAction.SIGN_IN, outcome="refused")
        structlog.get_logger("trabecula").warning(
            "a sign-in by the provider was refused", reason=reason, why=cause.detail if cause else None
        )
        return ProviderRefused(WORDS[reason], reason=reason)


def staff_session(settings: GatewaySettings) -> SessionLength:
    """How long a session of staff lasts without use, and at most."""
    return SessionLength(
        dt.timedelta(minutes=settings.session_idle_minutes), dt.timedelta(hours=settings.session_hours)
    )
