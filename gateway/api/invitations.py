"""`/v1/invitations`: staff, and patients whom the hospital knows, get an account by a token that works once.

No mail is sent: whoever invites hands the token over in a way the clinic trusts.
"""

import datetime as dt
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from gateway.api.accounts import ACCOUNT, AccountView
from gateway.api.deps import needs
from gateway.assessing.case import checked_patient_id
from gateway.context import AppContext, get_context
from gateway.platform.identity.email import Email
from gateway.platform.identity.invitations import Invitation
from gateway.platform.identity.scopes import Principal, Role
from gateway.platform.validators import Password
from shared.problem_responses import example_response, problem_responses
from shared.problems import Conflict, InvalidInput, NotAuthenticated, NotAuthorised, NotFound, TooManyAttempts

router = APIRouter(prefix="/v1/invitations", tags=["accounts"])
Context = Annotated[AppContext, Depends(get_context)]
Inviter = Annotated[Principal, Depends(needs("patients:write"))]

INVITATION = {
    "id": "0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d",
    "email": "ada@clinic.example",
    "role": "clinician",
    "patient_id": None,
    "created_by": "account:0199f7a0-11aa-7c3e-8f00-3a5d9b1e2c4d",
    "created_at": "2026-11-24T09:30:00Z",
    "expires_at": "2026-11-27T09:30:00Z",
}


class InvitationRequest(BaseModel):
    """Who is invited. A patient is named by the hospital's own reference; only administrators invite staff."""

    email: Email
    role: Role = Field(examples=["clinician"])
    patient_reference: str | None = Field(None, max_length=64, description="For role patient: the hospital's own id")
    hours: int = Field(72, ge=1, le=720, description="Hours until the token expires")


class InvitationView(BaseModel):
    """An invitation that can still be accepted."""

    id: UUID
    email: str
    role: Role
    patient_id: UUID | None = Field(description="The patient's internal id")
    created_by: str
    created_at: dt.datetime
    expires_at: dt.datetime


class NewInvitationView(InvitationView):
    """An invitation with its token, which is shown this once and works once."""

    token: str


class InvitationList(BaseModel):
    """The organisation's open invitations, newest first."""

    items: list[InvitationView]


class Acceptance(BaseModel):
    """The token, and the password that the account shall have."""

    token: str = Field(min_length=1, max_length=200)
    password: Password = Field(examples=["orbit-lantern-cedar-42"])


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses={
        **example_response({**INVITATION, "token": "mC2yW0n4c3..."}, HTTPStatus.CREATED),
        **problem_responses(InvalidInput, NotAuthenticated, NotAuthorised, Conflict),
    },
)
async def invite(request: InvitationRequest, who: Inviter, ctx: Context) -> NewInvitationView:
    """Invite somebody to the own organisation. The token is shown in this answer and never again."""
    patient_id = None
    if request.role == "patient":
        reference = checked_patient_id(request.patient_reference)
        if reference is None:
            raise InvalidInput("patient_reference: needed to invite a patient.", field="patient_reference")
        patient_id = (await ctx.patients.of_reference(who.organisation_id, reference, who.id)).id
    else:
        who.must_have("admin")
    lifetime = dt.timedelta(hours=request.hours)
    made = await ctx.invitations.add(
        request.email, request.role, who.organisation_id, who.id, lifetime, patient_id
    )  # fmt: skip
    return NewInvitationView(**_view(made.of).model_dump(), token=made.token)


@router.get(
    "",
    responses={**example_response({"items": [INVITATION]}), **problem_responses(NotAuthenticated, NotAuthorised)},
)
async def list_invitations(who: Annotated[Principal, Depends(needs("admin"))], ctx: Context) -> InvitationList:
    """The invitations that can still be accepted, without their tokens."""
    found = await ctx.invitations.open_ones(who.organisation_id)
    await ctx.audit.write(who.organisation_id, who.id, "invitations listed")
    return InvitationList(items=[_view(one) for one in found])


@router.delete(
    "/{invitation_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problem_responses(NotAuthenticated, NotAuthorised, NotFound),
)
async def revoke_invitation(
    invitation_id: UUID, who: Annotated[Principal, Depends(needs("admin"))], ctx: Context
) -> None:
    """Take an invitation back before it is accepted."""
    await ctx.invitations.revoke(invitation_id, who.organisation_id, who.id)


@router.post(
    "/accept",
    status_code=HTTPStatus.CREATED,
    responses={
        **example_response(ACCOUNT, HTTPStatus.CREATED),
        **problem_responses(InvalidInput, NotFound, Conflict, TooManyAttempts),
    },
)
async def accept_invitation(acceptance: Acceptance, ctx: Context) -> AccountView:
    """Accept an invitation: its token and a password make the account. Needs no other credential."""
    await ctx.attempts.count_address()
    invitation = await ctx.invitations.of_token(acceptance.token)
    hashed = await ctx.passwords.new_hash(acceptance.password.get_secret_value(), invitation.email)
    account = await ctx.invitations.accept(acceptance.token, hashed)
    return AccountView.model_validate(await ctx.accounts.get(account), from_attributes=True)


def _view(invitation: Invitation) -> InvitationView:
    return InvitationView.model_validate(invitation, from_attributes=True)
