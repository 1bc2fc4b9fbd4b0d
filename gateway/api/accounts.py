"""`/v1/accounts`: patients register themselves, people see and guard their account, administrators see all of them."""

import datetime as dt
from http import HTTPStatus
from typing import Literal, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, model_validator

from gateway.api.deps import Administrator, AnyPrincipal, Before, Limit
from gateway.context import Context
from gateway.platform.identity.accounts import Account
from gateway.platform.identity.email import Email
from gateway.platform.identity.scopes import Role
from gateway.platform.paging import Page
from gateway.platform.validators import Password
from shared.problem_responses import example_response, problem_responses
from shared.problems import Conflict, InvalidInput, NotAuthenticated, NotAuthorised, NotFound, TooManyAttempts

router = APIRouter(prefix="/v1/accounts", tags=["accounts"])

ACCOUNT = {
    "id": "0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d",
    "email": "ada@clinic.example",
    "role": "clinician",
    "organisation_id": "0199f7a0-11aa-7c3e-8f00-3a5d9b1e2c4d",
    "created_at": "2026-11-24T09:30:00Z",
    "disabled_at": None,
    "sign_in": "password",
    "link_until": None,
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
    registration_code: str = Field(max_length=40, description="The clinic's", examples=["K7QM-3XWD-9RTA"])


class RegistrationView(BaseModel):
    """The address that an account may be signed in to with from now on."""

    email: str


class NewPassword(BaseModel):
    """The current password, and the one that replaces it."""

    current_password: Password = Field(examples=["orbit-lantern-cedar-42"])
    new_password: Password = Field(examples=["velvet-harbour-quill-7"])


class AccountChange(BaseModel):
    """What an administrator may change of an account: one of these."""

    disabled: bool | None = Field(None, description="A disabled account cannot sign in, and its tokens end at once")
    link: bool | None = Field(
        None,
        description="Whether the person of the same e-mail address at the sign-in provider may take the account over "
        "within 7 days; its password ends with that",
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.disabled is None) == (self.link is None):
            raise ValueError("send one of disabled and link")
        return self


class AccountView(BaseModel):
    """A person's account."""

    id: UUID
    email: str
    role: Role
    organisation_id: UUID
    created_at: dt.datetime
    disabled_at: dt.datetime | None
    sign_in: Literal["password", "provider"] = Field(
        description="`provider`: the hospital's own, which has no password"
    )
    link_until: dt.datetime | None = Field(description="Until when the provider's person of this address may take over")

    @classmethod
    def of(cls, account: Account) -> "AccountView":
        """As it travels."""
        return cls.model_validate(account, from_attributes=True)


class AccountPage(Page[AccountView, UUID]):
    """One page, newest first; `next` is the `before` of the next page, null on the last one."""


class CallerView(BaseModel):
    """Who a credential stands for and what it may do."""

    id: str = Field(description="As the audit trail names it")
    role: str
    organisation_id: UUID
    scopes: list[str]
    patient_id: UUID | None = Field(description="A patient's own account: the id of the patient given here")


@router.post(
    "",
    status_code=HTTPStatus.ACCEPTED,
    responses={
        **example_response({"email": "pat@home.example"}, HTTPStatus.ACCEPTED),
        **problem_responses(InvalidInput, NotAuthorised, TooManyAttempts),
    },
)
async def register(registration: Registration, ctx: Context) -> RegistrationView:
    """A patient registers with the clinic's code. Needs no credential; a site can switch it off. Staff are invited.

    The answer is the same whether or not the address had an account, which then stays as it is.
    """
    password = registration.password.get_secret_value()
    await ctx.accounts.register(registration.email, password, registration.registration_code)
    return RegistrationView(email=registration.email)


@router.get("/me", responses={**example_response(OWN), **problem_responses(NotAuthenticated)})
async def get_own_account(who: AnyPrincipal) -> CallerView:
    """Who this credential stands for and what it may do; works for people and for hospital systems."""
    return CallerView(
        id=who.id,
        role=who.role,
        organisation_id=who.organisation_id,
        scopes=sorted(who.scopes),
        patient_id=who.patient_id,
    )


@router.put(
    "/me/password",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problem_responses(InvalidInput, NotAuthenticated, NotAuthorised, TooManyAttempts),
)
async def change_password(passwords: NewPassword, who: AnyPrincipal, ctx: Context) -> None:
    """Change your own password. Every session of the account ends, this one included: sign in again."""
    await ctx.accounts.change_password(
        who, passwords.current_password.get_secret_value(), passwords.new_password.get_secret_value()
    )


@router.get(
    "",
    responses={
        **example_response({"items": [ACCOUNT], "next": None}),
        **problem_responses(NotAuthenticated, NotAuthorised),
    },
)
async def list_accounts(who: Administrator, ctx: Context, limit: Limit = 20, before: Before = None) -> AccountPage:
    """The organisation's accounts, newest first."""
    return (await ctx.accounts.page(who, limit, before)).to(AccountPage, AccountView.of)


@router.patch(
    "/{account_id}",
    responses={
        **example_response(ACCOUNT),
        **problem_responses(NotAuthenticated, NotAuthorised, NotFound, Conflict),
    },
)
async def change_account(account_id: UUID, change: AccountChange, who: Administrator, ctx: Context) -> AccountView:
    """Disable an account, which ends its sessions at once; enable it again; let the sign-in provider take it over."""
    if change.link is not None:
        return AccountView.of(await ctx.accounts.allow_link(account_id, change.link, who))
    return AccountView.of(await ctx.accounts.set_disabled(account_id, bool(change.disabled), who))
