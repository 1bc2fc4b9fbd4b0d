"""`/v1/invitations`: staff, and patients whom the hospital knows, get an account by a token that works once.

No mail is sent: whoever invites hands the token over in a way the clinic trusts.
"""

import datetime as dt
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from gateway.api.accounts import ACCOUNT, AccountView
from gateway.api.deps import Administrator, Idempotent, PatientWriter, note_repeat
from gateway.assessing.accounts import InvitationWanted
from gateway.context import Context
from gateway.platform.identity.email import Email
from gateway.platform.identity.invitations import Invitation
from gateway.platform.identity.scopes import Role
from gateway.platform.validators import Password
from shared.problem_responses import example_response, problem_responses
from shared.problems import Conflict, InvalidInput, NotAuthenticated, NotAuthorised, NotFound, TooManyAttempts

router = APIRouter(prefix="/v1/invitations", tags=["accounts"])

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
    """Who is invited. A patient is named by the hospital's own number; only administrators invite staff."""

    email: Email
    role: Role = Field(examples=["clinician"])
    patient_number: str | None = Field(None, max_length=64, description="For role patient: the hospital's own")
    hours: int = Field(72, ge=1, le=720, description="Hours until the token expires")


class InvitationView(BaseModel):
    """An invitation that can still be accepted."""

    id: UUID
    email: str
    role: Role
    patient_id: UUID | None = Field(description="For role patient: the patient's id given here")
    created_by: str
    created_at: dt.datetime
    expires_at: dt.datetime

    @classmethod
    def of(cls, invitation: Invitation) -> "InvitationView":
        """As it travels."""
        return cls.model_validate(invitation, from_attributes=True)


class NewInvitationView(InvitationView):
    """An invitation with its token, which is shown this once and works once."""

    token: str


class InvitationListView(BaseModel):
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
async def invite(
    request: InvitationRequest, who: PatientWriter, ctx: Context, response: Response, once: Idempotent
) -> NewInvitationView:
    """Invite somebody to your own organisation. The token is shown in this answer and never again.

    The account can do no more than whoever invites, and a hospital system invites patients alone.
    """
    lifetime = dt.timedelta(hours=request.hours)
    wanted = InvitationWanted(request.email, request.role, request.patient_number, lifetime)
    new, is_repeated = await ctx.accounts.invite(wanted, who, once)
    note_repeat(response, is_repeated)
    return NewInvitationView(**InvitationView.of(new.of).model_dump(), token=new.token)


@router.get(
    "",
    responses={**example_response({"items": [INVITATION]}), **problem_responses(NotAuthenticated, NotAuthorised)},
)
async def list_invitations(who: Administrator, ctx: Context) -> InvitationListView:
    """The invitations that can still be accepted, without their tokens."""
    invitations = await ctx.accounts.open_invitations(who)
    return InvitationListView(items=[InvitationView.of(invitation) for invitation in invitations])


@router.delete(
    "/{invitation_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problem_responses(NotAuthenticated, NotAuthorised, NotFound),
)
async def revoke_invitation(invitation_id: UUID, who: Administrator, ctx: Context) -> None:
    """Take an invitation back before it is accepted."""
    await ctx.accounts.revoke_invitation(invitation_id, who)


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
    password = acceptance.password.get_secret_value()
    return AccountView.of(await ctx.accounts.accept_invitation(acceptance.token, password))
