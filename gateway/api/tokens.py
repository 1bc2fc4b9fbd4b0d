"""`/v1/tokens`: people and hospital systems sign in, stay signed in and sign out (RFC 6749, RFC 7009)."""

import base64
import binascii
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Header, Response
from pydantic import BaseModel, Field

from gateway.context import AppContext, get_context
from gateway.platform.identity.access_tokens import ApiClient, Person
from gateway.platform.identity.refresh_tokens import NewToken
from gateway.platform.identity.scopes import read_scopes
from shared.problem_responses import example_response, problem_responses
from shared.problems import InvalidInput, NotAuthenticated, NotAuthorised, TooManyAttempts

router = APIRouter(prefix="/v1/tokens", tags=["tokens"])
Context = Annotated[AppContext, Depends(get_context)]

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
    scope: str = Field("", max_length=500, description="Of a hospital system: fewer scopes than its key has")


class Tokens(BaseModel):
    """An access token for some minutes; a person gets the refresh token for the next one with it, good once."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 -- the scheme's name
    expires_in: int = Field(description="Seconds", examples=[900])
    refresh_token: str | None = Field(None, description="People only: a hospital system asks again with its key")
    scope: str = Field(examples=["assessments:read models:read"])


@router.post(
    "",
    response_model_exclude_none=True,
    responses={
        **example_response(TOKENS),
        **problem_responses(InvalidInput, NotAuthenticated, NotAuthorised, TooManyAttempts),
    },
)
async def sign_in(
    form: Annotated[TokenRequest, Form()],
    ctx: Context,
    response: Response,
    authorization: Annotated[str | None, Header(description="`Basic` with client_id and client_secret")] = None,
) -> Tokens:
    """Sign in: a person by e-mail address (as `username`) and password, a hospital system by its key's id and the key
    (`grant_type=client_credentials`). A system's token ends with its key, at once."""
    response.headers["Cache-Control"] = "no-store"
    if form.grant_type == "client_credentials":
        return await _client_tokens(ctx, form, authorization)
    return await _person(ctx, form)


@router.post(
    "/refresh",
    response_model_exclude_none=True,
    responses={**example_response(TOKENS), **problem_responses(NotAuthenticated)},
)
async def refresh_tokens(
    refresh_token: Annotated[str, Form(max_length=1000)], ctx: Context, response: Response
) -> Tokens:
    """Exchange a refresh token for new tokens. Each is good once; used again, it ends the whole sign-in."""
    response.headers["Cache-Control"] = "no-store"
    return await _tokens(ctx, await ctx.refresh_tokens.exchange(refresh_token))


@router.post("/revoke", status_code=HTTPStatus.NO_CONTENT)
async def sign_out(token: Annotated[str, Form(max_length=1000, description="The refresh token")], ctx: Context) -> None:
    """Sign out: the refresh token, and every token that came of the same sign-in, ends at once."""
    await ctx.refresh_tokens.end(token, "sign-out")


async def _person(ctx: AppContext, form: TokenRequest) -> Tokens:
    if not form.username or not form.password:
        missing = "username" if not form.username else "password"
        raise InvalidInput(f"{missing}: needed to sign in with grant_type=password.", field=missing)
    await ctx.attempts.count(form.username)
    account = await ctx.sign_in.account(form.username, form.password)
    return await _tokens(ctx, await ctx.refresh_tokens.begin(account))


async def _tokens(ctx: AppContext, new: NewToken) -> Tokens:
    who = await ctx.accounts.person(new.account_id)
    access = ctx.tokens.for_person(Person(new.account_id, new.family))
    return _answer(ctx, access, who.scopes, new.token)


async def _client_tokens(ctx: AppContext, form: TokenRequest, authorization: str | None) -> Tokens:
    identity, key = _client(form, authorization)
    await ctx.attempts.count(identity)
    who = await ctx.keys.client(key)
    if who.id != f"key:{identity}":
        raise NotAuthenticated("client_id is not the id of the key that was sent as client_secret.")
    scopes = who.scopes
    if form.scope:
        asked = read_scopes(form.scope)
        for scope in asked:
            who.must_have(scope)
        scopes = frozenset(asked)
    await ctx.audit.write(who.organisation_id, who.id, "sign-in")
    return _answer(ctx, ctx.tokens.for_client(ApiClient(identity, scopes)), scopes)


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


def _answer(ctx: AppContext, access: str, scopes: frozenset[str], refresh: str | None = None) -> Tokens:
    seconds = int(ctx.tokens.lifetime.total_seconds())
    return Tokens(access_token=access, expires_in=seconds, refresh_token=refresh, scope=" ".join(sorted(scopes)))
