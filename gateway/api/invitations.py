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
from gateway.context import Rooms, rooms
from gateway.platform.identity.email import Email
from gateway.platform.identity.invitations import Invitation
from gateway.platform.identity.scopes import Principal, Role
from gateway.platform.validators import Password
from shared.problem_responses import documented, shown
from shared.problems import Conflict, InvalidInput, NotAuthenticated, NotAuthorised, NotFound, TooManyAttempts

router = APIRouter(prefix="/v1/invitations", tags=["accounts"])
House = Annotated[Rooms, Depends(rooms)]
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
        **shown({**INVITATION, "token": "mC2yW0n4c3..."}, HTTPStatus.CREATED),
        **documented(InvalidInput, NotAuthenticated, NotAuthorised, Conflict),
    },
)
async def invite(request: InvitationRequest, who: Inviter, house: House) -> NewInvitationView:
    """Invite somebody to the own organisation. The token is shown in this answer and never again."""
    patient_id = None
    if request.role == "patient":
        reference = checked_patient_id(request.patient_reference)
        if reference is None:
            raise InvalidInput("patient_reference: needed to invite a patient.", field="patient_reference")
        patient_id = (await house.patients.of_reference(who.organisation_id, reference, who.id)).id
    else:
        who.must_have("admin")
    lifetime = dt.timedelta(hours=request.hours)
    made = await house.invitations.add(
        request.email, request.role, who.organisation_id, who.id, lifetime, patient_id
    )  # fmt: skip
    return NewInvitationView(**_view(made.of).model_dump(), token=made.token)


@router.get(
    "",
    responses={**shown({"items": [INVITATION]}), **documented(NotAuthenticated, NotAuthorised)},
)
async def list_invitations(who: Annotated[Principal, Depends(needs("admin"))], house: House) -> InvitationList:
    """The invitations that can still be accepted, without their tokens."""
    found = await house.invitations.open_ones(who.organisation_id)
    await house.audit.write(who.organisation_id, who.id, "invitations listed")
    return InvitationList(items=[_view(one) for one in found])


@router.delete(
    "/{invitation_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(NotAuthenticated, NotAuthorised, NotFound),
)
async def revoke_invitation(
    invitation_id: UUID, who: Annotated[Principal, Depends(needs("admin"))], house: House
) -> None:
    """Take an invitation back before it is accepted."""
    await house.invitations.revoke(invitation_id, who.organisation_id, who.id)


@router.post(
    "/accept",
    status_code=HTTPStatus.CREATED,
    responses={
        **shown(ACCOUNT, HTTPStatus.CREATED), **documented(InvalidInput, NotFound, Conflict, TooManyAttempts),
    },
)  # fmt: skip
async def accept_invitation(acceptance: Acceptance, house: House) -> AccountView:
    """Accept an invitation: its token and a password make the account. Needs no other credential."""
    await house.attempts.count_address()
    invitation = await house.invitations.of_token(acceptance.token)
    hashed = await house.passwords.new_hash(acceptance.password.get_secret_value(), invitation.email)
    account = await house.invitations.accept(acceptance.token, hashed)
    return AccountView.model_validate(await house.accounts.get(account), from_attributes=True)


def _view(invitation: Invitation) -> InvitationView:
    return InvitationView.model_validate(invitation, from_attributes=True)
