"""`/v1/tokens`: a person signs in, stays signed in and signs out (RFC 6749 password form, RFC 7009)."""

import datetime as dt
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.security import OAuth2PasswordRequestForm
from pydantic import BaseModel, Field

from gateway.rooms import Rooms, rooms
from shared.problem_responses import documented, shown
from shared.problems import NotAuthenticated, TooManyAttempts

router = APIRouter(prefix="/v1/tokens", tags=["tokens"])
House = Annotated[Rooms, Depends(rooms)]


TOKENS = {
    "access_token": "eyJhbGciOiJIUzI1NiIs...",
    "token_type": "bearer",
    "expires_in": 900,
    "refresh_token": "mC2yW0n4c3...",
}


class Tokens(BaseModel):
    """An access token for some minutes, and the refresh token to get the next one with, once."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 -- the scheme's name
    expires_in: int = Field(description="Seconds", examples=[900])
    refresh_token: str


async def _tokens(house: Rooms, account_id: UUID, family: UUID | None = None) -> Tokens:
    lifetime = dt.timedelta(days=house.settings.refresh_token_days)
    refresh = await house.accounts.add_refresh_token(account_id, lifetime, family)
    seconds = int(house.tokens.lifetime.total_seconds())
    return Tokens(access_token=house.tokens.issue(account_id), expires_in=seconds, refresh_token=refresh)


@router.post("", responses={**shown(TOKENS), **documented(NotAuthenticated, TooManyAttempts)})
async def sign_in(request: Request, form: Annotated[OAuth2PasswordRequestForm, Depends()], house: House) -> Tokens:
    """Sign in with e-mail address (as `username`) and password."""
    await house.attempts.count(form.username, request.client.host if request.client else "unknown")
    account = await house.accounts.account_by_email(form.username)
    matches = await house.passwords.matches(form.password, account.password_hash if account else None)
    if account is None or not matches:
        await house.audit.write(None, "nobody", "sign-in", outcome="refused")
        raise NotAuthenticated("The e-mail address or the password is wrong.")
    await house.audit.write(account.organisation_id, f"account:{account.id}", "sign-in")
    return await _tokens(house, account.id)


@router.post("/refresh", responses={**shown(TOKENS), **documented(NotAuthenticated)})
async def refresh(refresh_token: Annotated[str, Form()], house: House) -> Tokens:
    """Exchange a refresh token for new tokens. Each is good once; used again, it ends the whole sign-in."""
    account_id, family = await house.accounts.use_refresh_token(refresh_token)
    await house.accounts.person(account_id)
    return await _tokens(house, account_id, family)


@router.post("/revoke", status_code=HTTPStatus.NO_CONTENT)
async def revoke(token: Annotated[str, Form(description="The refresh token")], house: House) -> None:
    """Sign out: the refresh token and all that came of the same sign-in end at once."""
    await house.accounts.revoke_refresh_token(token)
