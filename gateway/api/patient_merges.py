"""`/v1/patient-merges`: two numbers that are one patient's, merged by a person and taken apart again."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from gateway.api.deps import Administrator, Before, Limit, PatientWriter
from gateway.api.examples.patients import MERGE
from gateway.assessing.patient_merges import PatientMergeView
from gateway.context import Context
from gateway.platform.paging import Page
from gateway.platform.validators import Printable
from gateway.records.patient_merges import LONGEST_MERGE_NOTE, MERGE_STATUSES, MergeStatus
from shared.problem_responses import example_response, problem_responses
from shared.problems import Conflict, InvalidInput, NotAuthenticated, NotAuthorised, NotFound, PatientRestricted

router = APIRouter(
    prefix="/v1/patient-merges", tags=["patients"], responses=problem_responses(NotAuthenticated, NotAuthorised)
)
MERGED = {
    **MERGE,
    "status": "merged",
    "differences": [],
    "decided_at": "2026-11-25T09:00:00Z",
    "decided_by": MERGE["proposed_by"],
}
REFUSED, UNDONE = (
    {**MERGED, "status": "refused"},
    {**MERGED, "status": "undone", "undone_at": "2026-11-26T09:00:00Z", "undone_by": MERGE["proposed_by"]},
)
DECIDED = problem_responses(NotFound, Conflict, PatientRestricted)


class PatientMergePage(Page[PatientMergeView, UUID]):
    """One page, newest first; `next` is the `before` of the next page, null on the last one."""


class MergeProposal(BaseModel):
    """Which number is one more number of which patient, and how that is known."""

    retired: Printable = Field(
        min_length=1, max_length=64, description="The number, or patient_id, that goes", examples=["MRN-1B"]
    )
    surviving: Printable = Field(
        min_length=1, max_length=64, description="The number, or patient_id, that stays", examples=["MRN-1"]
    )
    note: Printable = Field(
        min_length=1, max_length=LONGEST_MERGE_NOTE, description="How it is known", examples=[MERGE["note"]]
    )


@router.post(
    "",
    summary="Propose a merge",
    status_code=HTTPStatus.CREATED,
    responses={
        **example_response(MERGE, HTTPStatus.CREATED),
        **problem_responses(InvalidInput, NotFound, Conflict, PatientRestricted),
    },
)
async def propose_merge(wanted: MergeProposal, who: PatientWriter, ctx: Context) -> PatientMergeView:
    """Say that two numbers are one patient's. Nothing changes until an administrator merges them.

    `differences` says what the latest records of both have that cannot both be right.
    """
    return await ctx.patient_merges.propose(who, wanted.retired, wanted.surviving, wanted.note)


@router.get(
    "",
    summary="List merges",
    responses={**example_response({"items": [MERGE], "next": None}), **problem_responses(InvalidInput)},
)
async def list_merges(
    who: Administrator,
    ctx: Context,
    status: Annotated[MergeStatus | None, Query(description="Left out: all")] = None,
    limit: Limit = 20,
    before: Before = None,
) -> PatientMergePage:
    """What was proposed, merged, refused and taken apart, newest first."""
    page = await ctx.patient_merges.page(who, limit, before, [status] if status else MERGE_STATUSES)
    return PatientMergePage(items=page.items, next=page.next)


@router.post("/{merge_id}/confirm", summary="Merge two patients", responses={**example_response(MERGED), **DECIDED})
async def confirm_merge(merge_id: UUID, who: Administrator, ctx: Context) -> PatientMergeView:
    """Give everything of the retired patient to the surviving one. The retired number leads there from then on.

    For people with an account of their own. It can be undone.
    """
    return await ctx.patient_merges.merge(merge_id, who)


@router.post("/{merge_id}/refuse", summary="Refuse a merge", responses={**example_response(REFUSED), **DECIDED})
async def refuse_merge(merge_id: UUID, who: Administrator, ctx: Context) -> PatientMergeView:
    """They are two people. For people with an account of their own."""
    return await ctx.patient_merges.refuse(merge_id, who)


@router.post("/{merge_id}/undo", summary="Undo a merge", responses={**example_response(UNDONE), **DECIDED})
async def undo_merge(merge_id: UUID, who: Administrator, ctx: Context) -> PatientMergeView:
    """Take two patients apart again: what came from the retired one goes back, what came since stays where it is.

    For people with an account of their own.
    """
    return await ctx.patient_merges.undo(merge_id, who)
