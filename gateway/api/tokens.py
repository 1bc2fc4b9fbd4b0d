"""`/v1/tokens`: people and hospital systems sign in, stay signed in and sign out (RFC 6749, RFC 7009)."""

import base64
import binascii
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Header, Request, Response
from pydantic import BaseModel, Field

from gateway.api.audience import audience_root
from gateway.api.oauth_errors import AssertionRoute, OAuthError, oauth_error
from gateway.api.smart import TOKEN_PATH
from gateway.assessing.authentication import IssuedTokens
from gateway.context import AppContext, Context
from shared.problem_responses import example_response, problem_responses
from shared.problems import InvalidInput, NotAuthenticated, NotAuthorised, TooManyAttempts, TrabeculaError

router = APIRouter(prefix=TOKEN_PATH, tags=["tokens"], route_class=AssertionRoute)
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

TOKENS = {
    "access_token": "eyJhbGciOiJIUzI1NiIs...",
    "token_type": "bearer",
    "expires_in": 900,
    "refresh_token": "mC2yW0n4c3...",
    "scope": "assessments:read assessments:write models:read patients:read patients:write",
}


class TokenRequest(BaseModel):
    """OAuth2's form: for people `username` and `password`, for hospital systems `client_id` and `client_secret`."""

    grant_type: Literal["password", "client_credentials"] = "password"
    username: str | None = Field(None, max_length=254, description="The e-mail address")
    password: str | None = Field(None, max_length=1000)
    client_id: str | None = Field(None, max_length=100, description="The key's id; HTTP Basic does as well")
    client_secret: str | None = Field(None, max_length=1000, description="The whole API key as it was shown once")
    second_factor: str = Field(
        "", max_length=40, description="Of staff, where the site asks for it: the app's code, or a recovery code"
    )
    client_assertion_type: str | None = Field(
        None, max_length=200, description=f"`{ASSERTION_TYPE}`, with client_assertion"
    )
    client_assertion: str | None = Field(
        None, description="JWT that the system signed with a key of its own (RS384 or ES384), in place of a secret"
    )
    scope: str = Field(
        "",
        max_length=2000,
        description="Of a hospital system: fewer scopes than its key has; with client_assertion SMART's, such as "
        "`system/Observation.rs`",
    )

    @property
    def is_signed(self) -> bool:
        """Whether a system says who it is by a signature."""
        return self.client_assertion is not None or self.client_assertion_type is not None


class TokensView(BaseModel):
    """An access token for some minutes; a person gets the refresh token for the next one with it, good once."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 -- the scheme's name
    expires_in: int = Field(description="Seconds", examples=[900])
    refresh_token: str | None = Field(None, description="People only: a hospital system asks again with its key")
    scope: str = Field(examples=["assessments:read models:read"])

    @classmethod
    def of(cls, tokens: IssuedTokens) -> "TokensView":
        """As they travel."""
        return cls(
            access_token=tokens.access_token,
            expires_in=tokens.expires_in_s,
            refresh_token=tokens.refresh_token,
            scope=" ".join(sorted(tokens.scopes)),
        )


@router.post(
    "",
    response_model=TokensView,
    response_model_exclude_none=True,
    responses={
        **example_response(TOKENS),
        **problem_responses(InvalidInput, NotAuthenticated, NotAuthorised, TooManyAttempts),
    },
)
async def sign_in(
    request: Request,
    form: Annotated[TokenRequest, Form()],
    ctx: Context,
    authorization: Annotated[str | None, Header(description="`Basic` with client_id and client_secret")] = None,
) -> Any:
    """Sign in: a person by e-mail address (as `username`) and password, a hospital system by its key's id and the key
    (`grant_type=client_credentials`). A system's token ends with its key, at once.

    A system with keys of its own sends `client_assertion` in place of a secret (SMART Backend Services); its errors are
    those of RFC 6749: `error` and `error_description`."""
    if form.is_signed:
        return await _signed(request, form, ctx, authorization)
    if form.grant_type == "client_credentials":
        identity, api_key = _client(form, authorization)
        return TokensView.of(await ctx.authentication.sign_in_client(identity, api_key, form.scope))
    if not form.username or not form.password:
        missing = "username" if not form.username else "password"
        raise InvalidInput(f"{missing}: needed to sign in with grant_type=password.", field=missing)
    return TokensView.of(await ctx.authentication.sign_in(form.username, form.password, form.second_factor, True))


@router.post(
    "/refresh",
    response_model_exclude_none=True,
    responses={**example_response(TOKENS), **problem_responses(NotAuthenticated)},
)
async def refresh_tokens(refresh_token: Annotated[str, Form(max_length=1000)], ctx: Context) -> TokensView:
    """Exchange a refresh token for new tokens. Each is good once; used again, it ends the whole session."""
    return TokensView.of(await ctx.authentication.refresh(refresh_token))


@router.post("/revoke", status_code=HTTPStatus.NO_CONTENT)
async def sign_out(token: Annotated[str, Form(max_length=1000, description="The refresh token")], ctx: Context) -> None:
    """Sign out: the refresh token, and every token that came of the same session, ends at once."""
    await ctx.authentication.sign_out(token)


async def _signed(
    request: Request, form: TokenRequest, ctx: AppContext, authorization: str | None
) -> TokensView | Response:
    """The token of a system that signs, or what is wrong as RFC 6749 has it."""
    try:
        if form.grant_type != "client_credentials":
            raise OAuthError("unsupported_grant_type", "With client_assertion grant_type is client_credentials.")
        if form.client_secret or authorization:
            raise OAuthError("invalid_request", "Send one credential: a secret or a client_assertion.")
        if form.client_assertion_type != ASSERTION_TYPE or not form.client_assertion:
            raise OAuthError("invalid_request", f"client_assertion needs client_assertion_type={ASSERTION_TYPE}.")
        audience = await audience_root(request, ctx) + TOKEN_PATH
        services = ctx.backend_services
        return TokensView.of(await services.sign_in(form.client_assertion, form.client_id, form.scope, audience))
    except TrabeculaError as error:
        return oauth_error(error)


def _client(form: TokenRequest, authorization: str | None) -> tuple[str, str]:
    """Who a hospital system says it is, from HTTP Basic or from the form, never from both (RFC 6749, 2.3)."""
    scheme, _, given = (authorization or "").partition(" ")
    if scheme.lower() == "basic":
        if form.client_secret:
            raise InvalidInput("Send client_id and client_secret once: by HTTP Basic or in the form.")
        try:
            identity, _, key = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise NotAuthenticated("The Authorization header is not HTTP Basic as RFC 7617 has it.") from error
        return identity, key
    if not form.client_id or not form.client_secret:
        missing = "client_id" if not form.client_id else "client_secret"
        raise InvalidInput(f"{missing}: needed for grant_type=client_credentials.", field=missing)
    return form.client_id, form.client_secret
