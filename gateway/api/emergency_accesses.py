"""`/v1/emergency-accesses`: who opened restricted patients' records, for those who look into it."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from gateway.api.deps import Administrator, Before, Limit
from gateway.api.examples.patients import EMERGENCY_ACCESS
from gateway.assessing.patient_views import EmergencyAccessView
from gateway.context import Context
from gateway.platform.paging import Page
from gateway.platform.validators import Printable
from gateway.records.emergency_accesses import LONGEST_NOTE
from shared.problem_responses import example_response, problem_responses
from shared.problems import Conflict, InvalidInput, NotAuthenticated, NotAuthorised, NotFound

router = APIRouter(
    prefix="/v1/emergency-accesses", tags=["patients"], responses=problem_responses(NotAuthenticated, NotAuthorised)
)
REVIEWED = {
    **EMERGENCY_ACCESS,
    "reviewed_at": "2026-11-25T09:00:00Z",
    "reviewed_by": "account:0199f7a1-8c2d-7d4f-9f11-4b6e0c2f3d5e",
    "review_note": "Seen in the emergency room that night; justified.",
}


class EmergencyAccessPage(Page[EmergencyAccessView, UUID]):
    """One page, newest first; `next` is the `before` of the next page, null on the last one."""


class Review(BaseModel):
    """What came of looking into it."""

    note: Printable = Field(min_length=1, max_length=LONGEST_NOTE, examples=[REVIEWED["review_note"]])


@router.get(
    "",
    summary="List emergency accesses",
    responses={**example_response({"items": [EMERGENCY_ACCESS], "next": None}), **problem_responses(InvalidInput)},
)
async def list_emergency_accesses(
    who: Administrator,
    ctx: Context,
    status: Annotated[Literal["waiting", "reviewed"] | None, Query(description="Left out: both")] = None,
    limit: Limit = 20,
    before: Before = None,
) -> EmergencyAccessPage:
    """Who opened restricted patients' records and why, newest first."""
    reviewed = None if status is None else status == "reviewed"
    page = await ctx.emergency_access.page(who, limit, before, reviewed)
    return EmergencyAccessPage(items=page.items, next=page.next)


@router.post(
    "/{access_id}/review",
    summary="Review an emergency access",
    responses={**example_response(REVIEWED), **problem_responses(InvalidInput, NotFound, Conflict)},
)
async def review_emergency_access(
    access_id: UUID, review: Review, who: Administrator, ctx: Context
) -> EmergencyAccessView:
    """Say what came of looking into it, once. Nobody reviews their own."""
    return await ctx.emergency_access.review(access_id, who, review.note)
