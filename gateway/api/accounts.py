"""`/v1/accounts`: patients register themselves, people see and guard their account, administrators see all of them."""

import datetime as dt
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from gateway.api.deps import needs, principal
from gateway.context import AppContext, get_context
from gateway.platform.identity.accounts import Account
from gateway.platform.identity.email import Email
from gateway.platform.identity.scopes import Principal, Role
from gateway.platform.validators import Password
from shared.problem_responses import example_response, problem_responses
from shared.problems import Conflict, InvalidInput, NotAuthenticated, NotAuthorised, NotFound, TooManyAttempts

router = APIRouter(prefix="/v1/accounts", tags=["accounts"])
Context = Annotated[AppContext, Depends(get_context)]
Administrator = Annotated[Principal, Depends(needs("admin"))]

ACCOUNT = {
    "id": "0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d",
    "email": "ada@clinic.example",
    "role": "clinician",
    "organisation_id": "0199f7a0-11aa-7c3e-8f00-3a5d9b1e2c4d",
    "created_at": "2026-11-24T09:30:00Z",
    "disabled_at": None,
    "locked_until": None,
}
OWN = {
    "id": "account:0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d",
    "role": "patient",
    "organisation_id": "0199f7a0-11aa-7c3e-8f00-3a5d9b1e2c4d",
    "scopes": ["assessments:read", "assessments:write", "models:read", "patients:read"],
    "patient_id": "0199f7a2-3c4d-7c3e-8f00-3a5d9b1e2c4d",
}


class Registration(BaseModel):
    """What a patient registers with."""

    email: Email
    password: Password = Field(examples=["orbit-lantern-cedar-42"])


class NewPassword(BaseModel):
    """The password that is, and the one that shall be."""

    current_password: Password = Field(examples=["orbit-lantern-cedar-42"])
    new_password: Password = Field(examples=["velvet-harbour-quill-7"])


class AccountChange(BaseModel):
    """What an administrator may change of an account."""

    disabled: bool = Field(description="A disabled account cannot sign in, and its tokens end at once")


class AccountView(BaseModel):
    """A person's account."""

    id: UUID
    email: str
    role: Role
    organisation_id: UUID
    created_at: dt.datetime
    disabled_at: dt.datetime | None
    locked_until: dt.datetime | None = Field(description="After wrong passwords in a row")


class AccountPage(BaseModel):
    """One page, newest first; `next` is the `before` of the next page, null on the last one."""

    items: list[AccountView]
    next: UUID | None


class Caller(BaseModel):
    """Who a credential stands for and what it may do."""

    id: str = Field(description="As the audit trail names it")
    role: str
    organisation_id: UUID
    scopes: list[str]
    patient_id: UUID | None = Field(description="A patient's own account: the patient's internal id")


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses={
        **example_response({**ACCOUNT, "role": "patient"}, HTTPStatus.CREATED),
        **problem_responses(InvalidInput, NotAuthorised, Conflict, TooManyAttempts),
    },
)
async def register(registration: Registration, ctx: Context) -> AccountView:
    """A patient registers. Needs no credential; a site can switch it off. Staff are invited instead."""
    if not ctx.settings.registration:
        raise NotAuthorised("Registration is switched off here: ask the clinic for an invitation.")
    await ctx.attempts.count_address()
    hashed = await ctx.passwords.new_hash(registration.password.get_secret_value(), registration.email)
    organisation = await ctx.accounts.first_organisation(ctx.settings.organisation)
    patient = ctx.patients.new_row(organisation)
    account = await ctx.accounts.add_account(registration.email, hashed, "patient", organisation, patient, "nobody")
    return _view(await ctx.accounts.get(account))


@router.get("/me", responses={**example_response(OWN), **problem_responses(NotAuthenticated)})
async def get_own_account(who: Annotated[Principal, Depends(principal)]) -> Caller:
    """Who this credential stands for and what it may do; works for people and for hospital systems."""
    return Caller(
        id=who.id, role=who.role, organisation_id=who.organisation_id, scopes=sorted(who.scopes),
        patient_id=who.patient_id,
    )  # fmt: skip


@router.put(
    "/me/password",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problem_responses(InvalidInput, NotAuthenticated, NotAuthorised, TooManyAttempts),
)
async def change_password(passwords: NewPassword, who: Annotated[Principal, Depends(principal)], ctx: Context) -> None:
    """Change the own password. Every sign-in of the account ends, this one included: sign in again."""
    if who.role == "system":
        raise NotAuthorised("A hospital system has no password: rotate its key.")
    account = await ctx.accounts.get(UUID(who.id.removeprefix("account:")))
    await ctx.attempts.count(account.email)
    await ctx.sign_in.account(account.email, passwords.current_password.get_secret_value())
    hashed = await ctx.passwords.new_hash(passwords.new_password.get_secret_value(), account.email)
    await ctx.accounts.set_password(account.id, hashed, who.id)


@router.get(
    "",
    responses={
        **example_response({"items": [ACCOUNT], "next": None}),
        **problem_responses(NotAuthenticated, NotAuthorised),
    },
)
async def list_accounts(
    who: Administrator,
    ctx: Context,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
) -> AccountPage:
    """The organisation's accounts, newest first."""
    found = await ctx.accounts.page(who.organisation_id, limit + 1, before)
    await ctx.audit.write(who.organisation_id, who.id, "accounts listed")
    following = found[limit - 1].id if len(found) > limit else None
    return AccountPage(items=[_view(one) for one in found[:limit]], next=following)


@router.patch(
    "/{account_id}",
    responses={**example_response(ACCOUNT), **problem_responses(NotAuthenticated, NotAuthorised, NotFound, Conflict)},
)
async def change_account(account_id: UUID, change: AccountChange, who: Administrator, ctx: Context) -> AccountView:
    """Disable an account, which ends its sign-ins at once, or enable it again."""
    if change.disabled and who.id == f"account:{account_id}":
        raise Conflict("Nobody disables the own account: another administrator has to.")
    return _view(await ctx.accounts.set_disabled(account_id, who.organisation_id, change.disabled, who.id))


def _view(account: Account) -> AccountView:
    return AccountView.model_validate(account, from_attributes=True)
