"""Who is asking: the dependency that every route but the open ones stands behind."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends
from fastapi.openapi.models import OAuthFlowClientCredentials, OAuthFlowPassword, OAuthFlows
from fastapi.security import APIKeyHeader, OAuth2

from gateway.context import AppContext, get_context
from gateway.platform.identity.access_tokens import INVALID_TOKEN, Person
from gateway.platform.identity.scopes import Principal, Scope
from shared.problems import NotAuthenticated, NotAuthorised

_MEANT: dict[Scope, str] = {
    "assessments:write": "Make assessments",
    "assessments:read": "Read assessments",
    "patients:read": "Read patients, timelines and alerts",
    "patients:write": "Add to patients, invite and erase them",
    "models:read": "Read the model cards",
    "audit:read": "Read the audit trail",
    "admin": "Administer accounts, invitations and keys",
}
_FLOWS = OAuthFlows(
    password=OAuthFlowPassword(tokenUrl="/v1/tokens", refreshUrl="/v1/tokens/refresh", scopes={}),
    clientCredentials=OAuthFlowClientCredentials(tokenUrl="/v1/tokens", scopes=dict(_MEANT)),
)
_authorization = OAuth2(flows=_FLOWS, scheme_name="oauth2", auto_error=False)
_key = APIKeyHeader(name="X-API-Key", scheme_name="api_key", auto_error=False)


async def principal(
    ctx: Annotated[AppContext, Depends(get_context)],
    authorization: Annotated[str | None, Depends(_authorization)],
    key: Annotated[str | None, Depends(_key)],
) -> Principal:
    """The person or the hospital system behind the request.

    Raises:
        NotAuthenticated: no credential, two, or one that is not valid.
    """
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip() if scheme.lower() == "bearer" else ""
    if token and key:
        raise NotAuthenticated("Send one credential: either Authorization or X-API-Key.")
    if key:
        return await ctx.keys.client(key)
    if token:
        return await _bearer(ctx, token)
    raise NotAuthenticated("Send a credential: 'Authorization: Bearer <token>' or 'X-API-Key: <key>'.")


async def _bearer(ctx: AppContext, token: str) -> Principal:
    """The principal of an access token; it is asked anew each time, so that an end of anything counts at once."""
    claims = ctx.tokens.verified(token)
    if not isinstance(claims, Person):
        return await ctx.keys.client_of_token(claims.key_id, claims.scopes)
    if await ctx.refresh_tokens.is_over(claims.sign_in):
        raise NotAuthenticated(INVALID_TOKEN)
    return await ctx.accounts.person(claims.account_id)


def needs(scope: Scope) -> Callable[..., Awaitable[Principal]]:
    """A dependency: the principal, who must have this scope. A refusal is a line of the audit trail."""

    async def check(
        who: Annotated[Principal, Depends(principal)], ctx: Annotated[AppContext, Depends(get_context)]
    ) -> Principal:
        try:
            who.must_have(scope)
        except NotAuthorised:
            await ctx.audit.write(who.organisation_id, who.id, "access", f"scope:{scope}", "refused")
            raise
        return who

    return check
